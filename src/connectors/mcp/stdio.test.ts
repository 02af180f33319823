import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Result } from '../../core/outcome.ts'
import { createConnector, failure, openUpstream, type Upstream } from './fixtures/upstream.fixture.ts'

const fixtures = join(import.meta.dirname, 'fixtures')
const open: Upstream[] = []

async function openRaw(habits: readonly string[] = [], more: object = {}, options = {}): Promise<Upstream> {
  const args = [join(fixtures, 'raw-stdio.fixture.ts'), ...habits]
  const upstream = await openUpstream({ command: process.execPath, args, ...more }, options)
  open.push(upstream)
  return upstream
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((upstream) => upstream.close()))
})

async function whoIs(upstream: Upstream): Promise<{ pid: number; args: string[] }> {
  return ((await upstream.call('who')) as Result).structuredContent as { pid: number; args: string[] }
}

async function heardBy(upstream: Upstream): Promise<{ method?: string; params?: Record<string, unknown> }[]> {
  return ((await upstream.call('heard')) as Result).structuredContent as { method?: string }[]
}

/** Every process of the group that lives; zombies are dead. */
function groupMembers(group: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [, state, , pgrp] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, '').split(' ')
        return Number(pgrp) === group && state !== 'Z'
      } catch {
        return false
      }
    })
    .map(Number)
}

/** A log that reads, out of the error output in it, when the server said it died. */
function watchDeath() {
  let diedAt = Number.NaN
  const warn = (fields: object) => {
    diedAt = Number(/dead at (\d+)/.exec((fields as { stderr?: string }).stderr ?? '')?.[1])
  }
  return { log: { ...silentLogger, warn }, sinceDeathMs: () => Date.now() - diedAt }
}

/** How long the event loop was held up meanwhile. */
async function delaysDuring(work: () => Promise<void>) {
  const delays = monitorEventLoopDelay({ resolution: 5 })
  delays.enable()
  await work()
  delays.disable()
  return delays
}

describe('a process that exits', () => {
  it.each([
    0, 50, 99,
  ])('R4: fails calls in flight within 250 ms when it exits at %i percent', async (percent) => {
    const { log, sinceDeathMs } = watchDeath()
    const upstream = await openRaw([], {}, { log })
    let closed: Error | undefined
    upstream.connection.onClose?.((cause) => {
      closed = cause
    })
    const others = Array.from({ length: 20 }, () => failure(upstream.call('wait')))
    const errors = await Promise.all([failure(upstream.call('exit', { percent })), ...others])
    expect(sinceDeathMs()).toBeLessThan(250)
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['UPSTREAM_EXITED']))
    expect(errors[0]?.data).toEqual({ exitCode: 7 })
    expect(closed).toBe(errors[0])
    const late = await failure(upstream.call('echo'))
    expect([late.code, late.data]).toEqual(['CONNECTION_UNAVAILABLE', { exitCode: 7, sent: false }])
  })

  it('R4: fails calls in time although a grandchild keeps the output open', async () => {
    const { log, sinceDeathMs } = watchDeath()
    const upstream = await openRaw(['fork'], {}, { log })
    expect((await failure(upstream.call('exit', { percent: 50 }))).code).toBe('UPSTREAM_EXITED')
    expect(sinceDeathMs()).toBeLessThan(250)
  })

  it('R4: keeps the end of its error output for the log alone', async () => {
    const logged: object[] = []
    const log = { ...silentLogger, warn: (fields: object) => logged.push(fields) }
    const script = 'process.stderr.write("x".repeat(9000)+"canary-secret",()=>process.exit(4))'
    const failed = await failure(openUpstream({ command: process.execPath, args: ['-e', script] }, { log }))
    expect(failed.code).toBe('UPSTREAM_EXITED')
    expect(JSON.stringify(failed) + failed.message).not.toContain('canary')
    const { stderr } = logged[0] as { stderr: string }
    expect(stderr).toHaveLength(8_192)
    expect(stderr).toMatch(/x+canary-secret$/)
  })

  it('R4: counts as gone when it closes its output and stays', async () => {
    const upstream = await openRaw()
    const { pid } = await whoIs(upstream)
    const closed = new Promise<Error>((resolve) => upstream.connection.onClose?.(resolve))
    expect((await failure(upstream.call('mute'))).code).toBe('UPSTREAM_EXITED')
    expect((await closed).message).toContain('closed its output')
    await expect.poll(() => groupMembers(pid)).toEqual([])
  })

  it('says which command could not be started', async () => {
    const error = await failure(openUpstream({ command: 'no-such-program-anywhere' }))
    expect(error.code).toBe('CONNECTION_UNAVAILABLE')
    expect(error.message).toContain('"no-such-program-anywhere"')
  })

  it('refuses a working directory that does not exist', async () => {
    const error = await failure(openUpstream({ command: 'node', cwd: 'nowhere' }))
    expect([error.code, error.message]).toEqual(['CONFIG_INVALID', expect.stringContaining('nowhere')])
  })
})

describe('closing', () => {
  const cycles = process.env['WEIR_TEST_LONG'] === '1' ? 200 : 20
  it(`R5: leaves no process behind in ${cycles} cycles with a server that forks`, async () => {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const upstream = await openUpstream({
        command: process.execPath,
        args: ['-e', forkingServer, '5'],
        era: 'legacy',
      })
      const { pid } = await whoIs(upstream)
      expect(groupMembers(pid)).toHaveLength(3)
      await upstream.close()
      expect(groupMembers(pid)).toEqual([])
    }
  }, 240_000)

  it('R5: ends a server that ignores both the end of its input and SIGTERM, and its children with it', async () => {
    const upstream = await openRaw(['stubborn', 'fork'])
    const { pid } = await whoIs(upstream)
    expect(groupMembers(pid)).toHaveLength(3)
    const start = performance.now()
    await upstream.connection.close()
    const took = performance.now() - start
    expect(groupMembers(pid)).toEqual([])
    expect(took).toBeGreaterThan(4_900)
    expect(took).toBeLessThan(6_500)
  })

  it('R5: kills the children of a server that exits by itself', async () => {
    const upstream = await openRaw(['fork'])
    const { pid } = await whoIs(upstream)
    await failure(upstream.call('exit', { percent: 0 }))
    await upstream.connection.close()
    expect(groupMembers(pid)).toEqual([])
  })

  it('R5: is done for it when Weir exits without closing', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(fixtures, 'exiting-host.fixture.ts'),
    ])
    const { structuredContent } = JSON.parse(stdout) as { structuredContent: { pid: number } }
    await expect.poll(() => groupMembers(structuredContent.pid)).toEqual([])
  })

  it('is safe to do twice, and fails what is under way', async () => {
    const upstream = await openRaw()
    const waiting = failure(upstream.call('wait'))
    await Promise.all([upstream.connection.close(), upstream.connection.close()])
    expect((await waiting).code).toBe('CONNECTION_UNAVAILABLE')
  })
})

describe('what the child gets', () => {
  it('S9: none of the host’s environment but the harmless part', async () => {
    const hostEnv = {
      ...process.env,
      CANARY_TOKEN: 'canary-value',
      HOME: '/home/somebody',
      TERM: '() { :; }',
    }
    const upstream = await openRaw([], { env: { GIVEN: 'yes' } }, { hostEnv })
    const { pid } = await whoIs(upstream)
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean)
    expect(environment).toContain('GIVEN=yes')
    expect(environment).toContain('HOME=/home/somebody')
    expect(environment.join()).not.toContain('canary')
    expect(environment.join()).not.toContain('TERM=')
    const allowed = /^(HOME|LOGNAME|PATH|SHELL|TERM|USER|LANG|TMPDIR|TEMP|GIVEN)=/
    expect(environment.filter((entry) => !allowed.test(entry))).toEqual([])
  })

  it('S9: its arguments as they are, never through a shell', async () => {
    const nasty = ['$(touch pwned)', '`id`', '; exit 9', '| cat', '$HOME', '*', 'a b', '"', "'"]
    const upstream = await openRaw(nasty)
    expect((await whoIs(upstream)).args).toEqual(nasty)
  })
})

describe('calls', () => {
  it('R12: reject with the reason at once when cancelled, and the server is told', async () => {
    const upstream = await openRaw()
    const cancellation = new Cancellation()
    const waiting = failure(upstream.call('wait', {}, { signal: cancellation.signal }))
    const reason = new WeirError('CANCELLED', 'The client left.')
    const start = performance.now()
    cancellation.cancel(reason)
    expect(await waiting).toBe(reason)
    const heard = await heardBy(upstream)
    expect(performance.now() - start).toBeLessThan(100)
    expect(heard.at(-1)).toMatchObject({
      method: 'notifications/cancelled',
      params: { reason: 'The client left.', requestId: expect.any(Number) },
    })
  })

  it('are refused before anything is written when already cancelled', async () => {
    const upstream = await openRaw()
    const cancellation = new Cancellation()
    const reason = new WeirError('CANCELLED', 'Too late.')
    cancellation.cancel(reason)
    expect(await failure(upstream.call('wait', {}, { signal: cancellation.signal }))).toBe(reason)
    expect((await heardBy(upstream)).some(({ method }) => method === 'notifications/cancelled')).toBe(false)
  })

  it('R22: end a server that sends a line without end, holding no more than the limit', async () => {
    const upstream = await openRaw()
    const { pid } = await whoIs(upstream)
    const before = process.memoryUsage().rss
    const [error, other] = await Promise.all([
      failure(upstream.call('flood')),
      failure(upstream.call('wait')),
    ])
    expect([error.code, other.code]).toEqual(['UPSTREAM_PROTOCOL', 'UPSTREAM_PROTOCOL'])
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
    await upstream.connection.close()
    expect(groupMembers(pid)).toEqual([])
  })

  it('are refused as overload when the server leaves 16 MiB unread', async () => {
    const upstream = await openRaw()
    void upstream.call('deaf').catch(() => {})
    const text = 'x'.repeat(4 * 1024 * 1024)
    const cancellation = new Cancellation()
    const errors: WeirError[] = []
    const calls = Array.from({ length: 6 }, () =>
      upstream
        .call('echo', { text }, { signal: cancellation.signal })
        .catch((error: WeirError) => errors.push(error)),
    )
    await calls.at(-1)
    expect(errors.map(({ code }) => code)).toContain('OVERLOADED')
    expect(errors[0]?.data).toEqual({ sent: false })
    cancellation.cancel(new WeirError('CANCELLED', 'Enough.'))
    await Promise.all(calls)
  })

  it('are refused as overload beyond 1,024 in flight', async () => {
    const upstream = await openRaw()
    const waiting = Array.from({ length: 1_024 }, () => upstream.call('wait').catch(() => {}))
    expect((await failure(upstream.call('echo'))).code).toBe('OVERLOADED')
    await upstream.connection.close()
    await Promise.all(waiting)
  })

  it('survive what is no message on the same channel', async () => {
    const warnings: string[] = []
    const log = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) }
    const upstream = await openRaw(['banner'], {}, { log })
    expect(await upstream.call('echo', { a: 1 })).toEqual({ content: [{ type: 'text', text: '{"a":1}' }] })
    expect(warnings.filter((message) => message.includes('no message'))).toHaveLength(1)
  })

  it.each([
    ['holds a forbidden key', '{"id":ID,"jsonrpc":"2.0","result":{"structuredContent":{"__proto__":{}}}}'],
    ['nests too deep', `{"jsonrpc":"2.0","result":{"a":${'['.repeat(300)}${']'.repeat(300)}},"id":ID}`],
    ['is no JSON', '{"jsonrpc":"2.0","id":ID,"result":{"structuredContent":{"mean":NaN}}}'],
    ['has no result', '{"jsonrpc":"2.0","id":ID,"result":null}'],
  ])('fail a call at once whose answer %s', async (_, line) => {
    const upstream = await openRaw()
    expect(await failure(upstream.call('print', { line }))).toMatchObject({ code: 'UPSTREAM_PROTOCOL' })
    expect(await upstream.call('echo')).toMatchObject({ content: [{ text: '{}' }] })
  })

  it('end a server that floods its output with short lines, before others feel it', async () => {
    const upstream = await openRaw()
    const { max } = await delaysDuring(() =>
      expect(failure(upstream.call('chatter'))).resolves.toMatchObject({
        code: 'UPSTREAM_PROTOCOL',
        message: expect.stringContaining('1000 lines'),
      }),
    )
    expect(max / 1e6).toBeLessThan(1_000)
  })

  it('answer what a legacy server asks: a ping, and a refusal of everything else', async () => {
    const upstream = await openRaw()
    await upstream.call('ask')
    const answers = (await heardBy(upstream)).filter((message) => 'id' in message)
    expect(answers).toEqual([
      { jsonrpc: '2.0', id: 'q1', error: { code: -32601, message: expect.any(String) } },
      { jsonrpc: '2.0', id: 'q2', result: {} },
    ])
  })
})

describe('the era of a server', () => {
  it('is found although it dies of the first question, at the cost of one more start', async () => {
    const upstream = await openRaw(['dies'])
    expect(await upstream.call('echo')).toMatchObject({ content: [{ text: '{}' }] })
  })

  it('is found although it never answers what it does not know', { timeout: 20_000 }, async () => {
    const upstream = await openRaw(['silent'])
    expect(await upstream.call('echo')).toMatchObject({ content: [{ text: '{}' }] })
  })

  it('is remembered, so that the next start asks no more', async () => {
    const exits: string[] = []
    const warn = (_: object, message: string) => exits.push(message)
    const log = { ...silentLogger, warn }
    const { connector, egress } = createConnector({}, log)
    const config = connector.config.parse({
      command: process.execPath,
      args: [join(fixtures, 'raw-stdio.fixture.ts'), 'dies'],
    })
    const context = { name: 'upstream', baseDir: fixtures, log, signal: new AbortController().signal }
    let notes = {}
    for (const expected of [1, 1]) {
      const connection = await connector.open(config, { ...context, notes })
      await connection.close()
      notes = connection.notes?.() ?? {}
      expect(exits.filter((message) => message.includes('ended by itself'))).toHaveLength(expected)
    }
    await egress.close()
  })

  it('can be told', async () => {
    const upstream = await openRaw(['dies'], { era: 'legacy' })
    await upstream.connection.check(new AbortController().signal)
    expect((await failure(openRaw(['dies'], { era: 'modern' }))).code).toBe('UPSTREAM_EXITED')
    expect((await failure(openRaw([], { era: 'modern' }))).code).toBe('UPSTREAM_PROTOCOL')
  })
})

describe('opening', () => {
  it('gives up in time, and leaves no process', async () => {
    const start = performance.now()
    const script = 'process.stdin.resume().on("end",()=>process.exit())'
    const config = { command: process.execPath, args: ['-e', script], startTimeout: 300 }
    const error = await failure(openUpstream(config))
    expect(error.code).toBe('UPSTREAM_TIMEOUT')
    expect(performance.now() - start).toBeLessThan(2_000)
  })

  it('stops when Weir stops', async () => {
    const stopping = new AbortController()
    const script = 'process.stdin.resume().on("end",()=>process.exit())'
    const opening = failure(
      openUpstream({ command: process.execPath, args: ['-e', script] }, { signal: stopping.signal }),
    )
    const reason = new WeirError('SHUTTING_DOWN', 'Weir stops.')
    stopping.abort(reason)
    expect(await opening).toBe(reason)
  })
})

describe('the list of tools', () => {
  it('is read again after news of a change, once for many', async () => {
    const upstream = await openRaw()
    const kept = upstream.tool('wait')
    const changed = new Promise<void>((resolve) => upstream.connection.onChange?.(resolve))
    await upstream.call('change', { tools: ['renamed'] })
    await changed
    expect(upstream.connection.targets()[0]?.name).toBe('renamed')
    expect(upstream.tool('wait')).toBe(kept)
    const lists = (await heardBy(upstream)).filter(({ method }) => method === 'tools/list')
    expect(lists.length).toBeLessThanOrEqual(3)
  })
})

/** As small as a server can be, so that twenty starts take little time. */
const forkingServer = `
const { spawn } = require('node:child_process')
for (let i = 0; i < 2; i++) spawn('sleep', ['1000'], { stdio: 'inherit' })
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line)
  if (id === undefined) return
  const result = { initialize: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'f', version: '1' } },
    'tools/list': { tools: [{ name: 'who', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [], structuredContent: { pid: process.pid } } }[method]
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n')
}).on('close', () => process.exit())`
