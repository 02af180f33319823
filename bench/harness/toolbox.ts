import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { findFreePort } from '../../test/services/find-free-port.ts'
import { type Server, stop, track } from './children.ts'

const program = path.resolve(
  import.meta.dirname,
  '../rivals/node_modules/@toolbox-sdk/server-linux-x64/bin/toolbox',
)
const startTimeoutMs = 20_000

/** One database and one statement of it, in the words of Google's MCP Toolbox. */
export interface ToolboxJob {
  readonly source: Readonly<Record<string, unknown>>
  /** `sqlite-sql`, `postgres-sql`. */
  readonly kind: string
  readonly statement: string
}

/** The rival's own server with one tool, `find`, that takes an integer `id`. Throws where it is not installed. */
export async function startToolbox({ source, kind, statement }: ToolboxJob, folder: string): Promise<Server> {
  if (!existsSync(program))
    throw new Error('Google’s MCP Toolbox is not installed: run (cd bench/rivals && npm ci).')
  const parameters = [{ name: 'id', type: 'integer', description: 'Which row.' }]
  const tool = { kind, source: 'bench', description: 'Finds one row.', parameters, statement }
  const config = path.join(folder, 'toolbox.yaml')
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ sources: { bench: source }, tools: { find: tool } }))
  const port = await findFreePort()
  const startedMs = performance.now()
  const args = ['--config', config, '--port', `${port}`, '--disable-version-check', '--disable-reload']
  const child = track(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
  await new Promise<void>((resolve, reject) => {
    let said = ''
    const fail = () => reject(new Error(`The Toolbox did not start: ${said.slice(-500)}`))
    const late = setTimeout(fail, startTimeoutMs)
    child.once('exit', fail)
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        said += `${line}\n`
        if (!line.includes('ready to serve')) return
        clearTimeout(late)
        child.off('exit', fail)
        resolve()
      })
    }
  })
  const stopThis = () => stop(child)
  const url = `http://127.0.0.1:${port}/mcp`
  return { url, pid: child.pid!, startedMs, stop: stopThis, [Symbol.asyncDispose]: stopThis }
}
