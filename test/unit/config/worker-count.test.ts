import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nearest } from "../../../src/config/nearest.ts";
import { cpuQuota, defaultWorkers } from "../../../src/config/worker-count.ts";

function quotaOf(files: Record<string, string>): number | undefined {
  return cpuQuota((path) => files[path]);
}

describe("the default number of workers", () => {
  for (const [cores, quota, workers] of [
    [8, undefined, 8],
    [1, undefined, 2],
    [64, 2, 2],
    [64, 3.9, 3],
    [64, 0.5, 2],
    [4, 16, 4],
  ] as const) {
    test(`is ${workers} with ${cores} cores and a quota of ${quota ?? "none"}`, () => {
      assert.equal(defaultWorkers(cores, quota), workers);
    });
  }
});

describe("the CPU quota", () => {
  test("is none where there is no control group", () => {
    assert.equal(quotaOf({}), undefined);
  });

  test("is read from cpu.max of version 2", () => {
    const files = { "/proc/self/cgroup": "0::/app\n", "/sys/fs/cgroup/app/cpu.max": "150000 100000\n" };
    assert.equal(quotaOf(files), 1.5);
  });

  test("is the tightest of a group and those above it", () => {
    const files = {
      "/proc/self/cgroup": "0::/slice/app\n",
      "/sys/fs/cgroup/slice/app/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/slice/cpu.max": "300000 100000\n",
    };
    assert.equal(quotaOf(files), 3);
  });

  test("is found at the mount's root inside a container whose own path is not mounted", () => {
    const files = { "/proc/self/cgroup": "0::/../host/path\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n" };
    assert.equal(quotaOf(files), 2);
  });

  test("is read from cfs_quota_us of version 1, where -1 is none", () => {
    const cgroup = "4:cpu,cpuacct:/docker/1\n3:cpuset:/\n";
    const path = "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_";
    assert.equal(
      quotaOf({ "/proc/self/cgroup": cgroup, [`${path}quota_us`]: "400000", [`${path}period_us`]: "100000" }),
      4,
    );
    assert.equal(
      quotaOf({ "/proc/self/cgroup": cgroup, [`${path}quota_us`]: "-1", [`${path}period_us`]: "100000" }),
      undefined,
    );
  });
});

describe("nearest", () => {
  test("finds what a typo meant", () => {
    assert.equal(nearest("blance", ["balance", "entries"]), "balance");
    assert.equal(nearest("postall", ["post", "postAll"]), "postAll");
  });

  test("finds nothing when nothing is near", () => {
    assert.equal(nearest("shutdown", ["balance", "entries"]), undefined);
  });
});
