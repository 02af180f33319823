import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createConnectionSlot } from '../../catalog/slot/connection-slot.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Result } from '../../core/outcome.ts'
import type { Tool } from '../../core/tool.ts'
import { createLog } from '../../telemetry/log.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import {
  createConnector,
  createContext,
  failure,
  openUpstream,
  useUpstreams,
} from './fixtures/upstream.fixture.ts'

const fixtures = join(import.meta.dirname, 'fixtures')
const { closers, connect } = useUpstreams()

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Holds this thread, so that nobody in it can hear of the death before the next line runs. */
function killAndHold(pid: number): void {
  process.kill(pid, 'SIGKILL')
  const isZombie = () => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // Its pipes are closed when the last of its threads is gone.
  const hasThreads = () => readdirSync(`/proc/${pid}/task`).length > 1
  while (!isZombie() || hasThreads());
}

function rawServer(...habits: string[]) {
  return { command: process.execPath, args: [join(fixtures, 'raw-stdio.fixture.ts'), ...habits] }
}

async function openRaw(...habits: string[]) {
  const upstream = await openUpstream({ ...rawServer(...habits), era: 'legacy' })
  closers.push(() => upstream.close())
  const { pid } = ((await upstream.call('who')) as Result).structuredContent as { pid: number }
  return { upstream, pid }
}

it('R4: a process that dies of its list of tools was never open, whatever else it had listed', async () => {
  const opening = openUpstream({ ...rawServer('overlong'), era: 'legacy' })
  expect(await failure(opening)).toMatchObject({ code: 'UPSTREAM_PROTOCOL' })
})

describe('a request to a process that is dead', () => {
  it('R4: is known not to be sent where it comes before anybody has heard of the death, unlike one in flight', async () => {
    const { upstream, pid } = await openRaw()
    const inFlight = failure(upstream.call('wait'))
    // What is written goes out at once, and the server reads it before it is killed.
    await upstream.call('echo')
    killAndHold(pid)
    const late = await failure(upstream.call('echo'))
    expect([late.code, late.data]).toEqual(['CONNECTION_UNAVAILABLE', { signal: 'SIGKILL', sent: false }])
    expect((await inFlight).code).toBe('UPSTREAM_EXITED')
  })

  it('R4: is known not to be sent by a process that reads no more, which is ended soon after', async () => {
    const { upstream, pid } = await openRaw('lingers')
    const closed = new Promise<Error>((resolve) => upstream.connection.onClose?.(resolve))
    const unplugged = failure(upstream.call('unplug'))
    const isUnsent = async () => (await failure(upstream.call('echo'))).data
    await expect.poll(isUnsent, { timeout: 5_000 }).toEqual({ sent: false })
    expect((await closed).message).toBe('The MCP server reads no input any more.')
    expect((await unplugged).code).toBe('UPSTREAM_EXITED')
    await upstream.connection.close()
    expect(() => process.kill(pid, 0)).toThrow()
  })

  it('R4: fails its opening with how it ended, and its last words are kept', async () => {
    const words: unknown[] = []
    const log = {
      ...silentLogger,
      warn: (fields: object) => words.push((fields as { stderr?: string }).stderr),
    }
    // Each takes its own time until it reads no more, so that some die before the first request and some after it.
    const scripts = [0, 1, 2, 5, 10, 20].map((turns) => {
      const idle = `i=0; while [ $i -lt ${turns * 100} ]; do i=$((i+1)); done`
      return `${idle}; exec <&-; echo 'no licence' >&2; exit 3`
    })
    const opened = scripts.map((script) => openUpstream({ command: 'sh', args: ['-c', script] }, { log }))
    const errors = await Promise.all(opened.map(failure))
    expect(errors.map(({ code, data }) => [code, data])).toEqual(
      scripts.map(() => ['UPSTREAM_EXITED', { exitCode: 3 }]),
    )
    expect(new Set(words)).toEqual(new Set(['no licence\n']))
  })
})

/** A slot over a real connector, whose pauses a test shortens. */
function openSlot(config: object) {
  const clock = createFakeClock()
  const lines: Record<string, unknown>[] = []
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  const { egress, connector } = createConnector({}, log)
  const parsed = connector.config.parse(config)
  const slot = createConnectionSlot(
    {
      ...{ name: 'box', type: 'mcp' },
      open: (signal, notes) =>
        connector.open(parsed, { name: 'box', baseDir: fixtures, log, signal, ...(notes && { notes }) }),
    },
    { clock, log, random: () => 1, onChange: () => {} },
  )
  closers.push(async () => {
    await slot.close()
    await egress.close()
  })
  const call = (name: string, context = {}) =>
    (slot.entries.find(({ target }) => target.name === name)?.target as Tool).run(
      {},
      createContext(context),
    ) as Promise<Result>
  return { clock, lines, slot, call }
}

describe('a connection whose process dies', () => {
  it('R4: runs a call that met the dead process on the next one, which starts at once', async () => {
    const { slot, call } = openSlot({ ...rawServer(), era: 'legacy' })
    await slot.settled
    const whoIs = async () => ((await call('who')).structuredContent as { pid: number }).pid
    const entries = slot.entries
    for (let kill = 0; kill < 5; kill += 1) {
      const pid = await whoIs()
      killAndHold(pid)
      const answers = await Promise.all([whoIs(), whoIs(), whoIs()])
      expect(new Set(answers).size).toBe(1)
      expect(answers[0]).not.toBe(pid)
    }
    expect(slot.entries).toBe(entries)
  })

  it('R4: at each start is a crash loop, whose last words are for the log alone', async () => {
    const script = 'process.stderr.write("canary-secret",()=>process.exit(3))'
    const config = { command: process.execPath, args: ['-e', script], era: 'legacy' }
    const { clock, slot, lines } = openSlot(config)
    // The slot's time stands still while a process runs, and moves on by just the pause after its death.
    for (const pauseMs of [500, 1_000, 2_000, 4_000]) {
      await expect.poll(() => clock.pendingMs, { timeout: 10_000 }).toContain(pauseMs)
      await clock.advance(pauseMs)
    }
    await expect.poll(() => slot.status.state, { timeout: 10_000 }).toBe('crash-loop')
    const deaths = () => lines.filter(({ stderr }) => stderr === 'canary-secret').length
    const seen = deaths()
    expect(seen).toBe(5)
    const stop = new Cancellation()
    const error = await failure(slotCall(slot, stop))
    expect(error.code).toBe('CONNECTION_UNAVAILABLE')
    expect(error.message).toContain('dies at each start')
    expect(error.message + error.hint + JSON.stringify(error.data)).not.toContain('canary')
    await clock.advance(30_000)
    await expect.poll(deaths, { timeout: 10_000 }).toBe(seen + 1)
    expect(lines.filter(({ event }) => event === 'connection.crash-loop')).toHaveLength(1)
  })
})

/** Nothing is listed yet, so the call is one that asks for the connection alone. */
function slotCall(slot: ReturnType<typeof createConnectionSlot>, stop: Cancellation): Promise<unknown> {
  const { reach } = slot as unknown as { reach(context: object): Promise<unknown> }
  return reach.call(slot, { stop })
}

async function startServer(era: string, port = 0): Promise<readonly [ChildProcess, number]> {
  const args = [join(fixtures, 'http-child.fixture.ts'), era, String(port)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return [child, Number(line.toString())]
}

describe('processes', () => {
  it('start four at a time, whichever connections they are of', async () => {
    const marker = `starting-${process.pid}-${performance.now()}`
    const running = () => readdirSync('/proc').filter((id) => commandOf(id).includes(marker)).length
    const script = 'process.stdin.resume().on("end",()=>process.exit())'
    const { egress, connector } = createConnector({})
    const config = connector.config.parse({ command: process.execPath, args: ['-e', script, marker] })
    const stops = Array.from({ length: 6 }, () => new AbortController())
    const opening = stops.map(({ signal }) =>
      connector
        .open(config, { name: 'box', baseDir: fixtures, log: createLog(() => {}), signal })
        .catch((error: unknown) => error),
    )
    await expect.poll(running, { timeout: 10_000 }).toBe(4)
    const reason = new WeirError('SHUTTING_DOWN', 'Weir stops.')
    stops[0]?.abort(reason)
    expect(await opening[0]).toBe(reason)
    await expect.poll(running, { timeout: 10_000 }).toBe(4)
    for (const stop of stops) stop.abort(reason)
    await Promise.all(opening)
    expect(running()).toBe(0)
    await egress.close()
  })
})

function commandOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

describe.each(['modern', 'legacy'])('a %s server behind a URL', (era) => {
  it('R7: that is away for a moment is waited for, by calls up to their deadline', async () => {
    const [child, port] = await startServer(era)
    const upstream = await connect(`http://127.0.0.1:${port}/mcp`)
    await upstream.call('echo')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const stopped = new Cancellation()
    const impatient = failure(upstream.call('echo', {}, { stop: stopped, signal: stopped.signal }))
    const patient = Array.from({ length: 10 }, (_, n) => upstream.call('echo', { n }))
    const checked = upstream.connection.check(new AbortController().signal)
    const reason = new WeirError('DEADLINE_EXCEEDED', 'over')
    stopped.cancel(reason)
    expect(await impatient).toBe(reason)
    await startServer(era, port)
    const answers = (await Promise.all(patient)) as Result[]
    expect(answers.map(({ content }) => content?.[0]?.['text'])).toEqual(
      Array.from({ length: 10 }, (_, n) => JSON.stringify({ n })),
    )
    await checked
  })

  it('R7: that stays away is found so by a check', async () => {
    const [child, port] = await startServer(era)
    const upstream = await connect(`http://127.0.0.1:${port}/mcp`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const start = performance.now()
    const error = await failure(upstream.connection.check(new AbortController().signal))
    expect([error.code, error.data?.['cause']]).toEqual(['UPSTREAM_UNREACHABLE', 'ECONNREFUSED'])
    expect(performance.now() - start).toBeLessThan(5_000)
  })

  it('cannot die: it is waited for', async () => {
    const [, port] = await startServer(era)
    const upstream = await connect(`http://127.0.0.1:${port}/mcp`)
    expect(upstream.connection.onClose).toBeUndefined()
  })
})
