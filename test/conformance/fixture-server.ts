import { parseArgs } from 'node:util'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createFixtureServer } from './fixture/create-fixture-server.ts'
import { createFixtureState } from './fixture/fixture-state.ts'
import { serveHttp } from './fixture/serve-http.ts'

const usage = `The upstream that the gateway is tested through: a server of the official SDK that offers
everything the conformance suite calls.

  node test/conformance/fixture-server.ts [--port N]   Streamable HTTP, all revisions on one URL;
                                                       prints {"event":"listening","url":…}
  node test/conformance/fixture-server.ts --stdio      stdio, all revisions
`

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    stdio: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const state = createFixtureState()
if (values.help) process.stdout.write(usage)
else if (values.stdio) startStdio()
else await startHttp(Number(values.port))

function startStdio(): void {
  serveStdio(({ era }) => {
    const { server, follow } = createFixtureServer(state, era)
    server.server.onclose = follow()
    return server
  })
}

async function startHttp(port: number): Promise<void> {
  const { url, server } = await serveHttp(state, port)
  process.stdout.write(`${JSON.stringify({ event: 'listening', url })}\n`)
  const stop = () => {
    server.close()
    server.closeAllConnections()
    process.exit(0)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}
