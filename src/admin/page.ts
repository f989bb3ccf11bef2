/** The page at `/`: a list of what the port offers. Static, without scripts, and without anything from elsewhere. */

export const indexPage: string = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Sluice</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }</style>
<h1>Sluice</h1>
<ul>
<li><a href="/statusz">/statusz</a>: phase, calls, methods, lanes and connections as JSON
<li><a href="/metrics">/metrics</a>: the same counters for Prometheus
<li><a href="/readyz">/readyz</a>: 200 when new calls should be sent here
<li><a href="/livez">/livez</a>: 200 while the main thread lives
</ul>
<p>To drain, or to take it back while in lame-duck:</p>
<pre>curl -X POST -H 'x-sluice-admin: 1' http://HOST:PORT/drain
curl -X POST -H 'x-sluice-admin: 1' http://HOST:PORT/undrain</pre>
</html>
`;
