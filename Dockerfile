# The reference ledger in a container. `sluice init` writes a Dockerfile for a service of your own.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The only install script is that of the npm package `node`, which brings the Node.js that is here already.
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM packages AS build
COPY tsconfig.json tsconfig.build.json ./
COPY tools/build-entries.ts tools/
COPY gen gen
COPY src src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json && \
    cp -R src/admin/page dist/admin/page && \
    node tools/build-entries.ts && \
    npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY bin bin
COPY gen gen
COPY idl idl
COPY templates templates
# A new volume takes its owner from here.
RUN mkdir /data && chown node:node /data

ENV NODE_ENV=production \
    SLUICE_HOST=0.0.0.0 \
    SLUICE_ADMIN_HOST=0.0.0.0 \
    SLUICE_STORE=sqlite:/data/ledger.db
VOLUME /data
EXPOSE 9090 9091
USER node

# Node.js itself is PID 1: npm or a shell in between would swallow the signal that asks for a drain.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/sluice.js"]
CMD ["serve"]

# Liveness, not readiness: a server that drains or whose workers are stuck must not be restarted for it.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SLUICE_ADMIN_PORT ?? 9091}/livez`, { signal: AbortSignal.timeout(2000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
