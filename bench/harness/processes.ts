import type { Era } from './case.ts'
import { type Server, startServer } from './children.ts'
import type { Side } from './measure-pair.ts'
import { connect, type VerifiedRequest, verifyEcho } from './verified-request.ts'

/** As `bin/weir.js` starts Weir. */
const asStarted = ['--no-allocation-site-pretenuring']
const benchDir = new URL('..', import.meta.url).pathname

/** The bare upstream, speaking one era only, so that nobody behind whom it stands can choose the other. */
export function startUpstream(era: Era, tools = 1): Promise<Server> {
  return startServer([`${benchDir}baselines/echo-upstream.ts`, '--era', era, '--tools', `${tools}`])
}

/** Weir with an in-process echo tool among `tools` tools. */
export function startWeirEcho(tools = 1): Promise<Server> {
  return startServer([...asStarted, `${benchDir}subjects/weir-echo.ts`, '--tools', `${tools}`])
}

/** The same with every policy on; what it keeps lies in `folder`, and its spans go to a collector that takes them. */
export function startGuardedEcho(
  folder: string,
  collector: Server,
  effect: 'read' | 'write',
): Promise<Server> {
  const script = `${benchDir}subjects/weir-echo.ts`
  const store = `sqlite:${folder}/weir.db`
  return startServer([
    ...asStarted,
    script,
    '--effect',
    effect,
    '--collector',
    collector.url,
    '--store',
    store,
  ])
}

/** Weir in front of `upstream`. */
export function startWeirProxy(upstream: Server): Promise<Server> {
  return startServer([...asStarted, `${benchDir}subjects/weir-proxy.ts`, '--upstream', upstream.url])
}

/** The bare reverse proxy in front of `upstream`. */
export function startReverseProxy(upstream: Server): Promise<Server> {
  return startServer([`${benchDir}baselines/reverse-proxy.ts`, '--upstream', upstream.url])
}

/** The proxy built on the SDK's server and client, speaking `era` upstream. */
export function startSdkProxy(upstream: Server, era: Era): Promise<Server> {
  return startServer([`${benchDir}baselines/sdk-proxy.ts`, '--upstream', upstream.url, '--era', era])
}

/** The SDK's server with the same echo tool. */
export function startSdkServer(): Promise<Server> {
  return startServer([`${benchDir}baselines/sdk-server.ts`])
}

/** An idle node:http server, to see what Node itself takes. */
export function startPlainNode(): Promise<Server> {
  return startServer([`${benchDir}baselines/bare-echo.ts`])
}

/** What the padding's own JSON takes: `,"_meta":{"pad":""}`. */
const paddingChars = 19

/** The bare echo, its answers as long as `model`, whose request it is also asked. */
export async function startBareEcho(model: VerifiedRequest): Promise<{ server: Server; side: Side }> {
  const script = `${benchDir}baselines/bare-echo.ts`
  const plain = await startServer([script])
  const unpadded = await ask(plain, model)
  const padChars = model.answer.length - unpadded.length - paddingChars
  if (padChars <= 0)
    return { server: plain, side: sideOf('bare node:http', plain, { ...model, answer: unpadded }) }
  await plain.stop()
  const server = await startServer([script, '--pad-chars', `${padChars}`])
  const answer = await ask(server, model)
  return { server, side: sideOf('bare node:http', server, { ...model, answer }) }
}

async function ask(server: Server, { headers, body }: VerifiedRequest): Promise<string> {
  const response = await fetch(server.url, { method: 'POST', headers, body })
  return response.text()
}

function sideOf(label: string, server: Server, request: VerifiedRequest): Side {
  return { label, pid: server.pid, request: { ...request, url: server.url } }
}

/** A client of `era` that is about to call the server's echo tool. */
export async function echoSide(label: string, server: Server, era: Era): Promise<Side> {
  return { label, pid: server.pid, request: await verifyEcho(await connect(server.url, era)) }
}
