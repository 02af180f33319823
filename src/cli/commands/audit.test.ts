import { beforeEach, describe, expect, it } from 'vitest'
import type { AuditStore } from '../../core/audit.ts'
import type { WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { draftOf } from '../../store/audit/audit.fixture.ts'
import { openStore } from '../../store/open-store.ts'
import { closeLater } from '../../store/store.fixture.ts'
import type { Output } from '../output.ts'
import { createAuditCommands } from './audit.ts'

const hour = 3_600_000
const noon = Date.UTC(2026, 10, 29, 12)
let audit: AuditStore
let closes: number
beforeEach(async () => {
  audit = closeLater(await openStore({ url: 'sqlite::memory:', baseDir: '/', log: silentLogger })).audit
  closes = 0
})

const commands = createAuditCommands(
  async () => ({
    audit,
    close: async () => {
      closes += 1
    },
  }),
  () => noon,
)

/** Runs one of them; what it said, by where. */
async function run<K extends keyof typeof commands>(
  command: K,
  options: Parameters<(typeof commands)[K]>[1] = {},
  isJson = false,
) {
  const said = { text: [] as string[], notes: [] as string[], json: undefined as unknown }
  const output: Output = {
    ...{ isJson, isTerminal: false, lineLimit: {} },
    json: (value) => {
      said.json = value
    },
    text: (text) => void said.text.push(text),
    note: (text) => void said.notes.push(text),
    tell: () => {},
    fail: () => {},
    redactWith: () => {},
    redact: (text) => text,
  }
  const exit = await commands[command]({ output }, options as never, [])
  return { exit, ...said, text: said.text.join('\n') }
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('It was done.'),
    (thrown: WeirError) => `${thrown.code} ${thrown.message}`,
  )

const call = (id: string, more: Parameters<typeof draftOf>[0] = {}) =>
  draftOf({ call: id, at: noon - hour, error: undefined, count: undefined, ...more })
const intent = (id: string, more: Parameters<typeof draftOf>[0] = {}) =>
  call(id, { kind: 'intent', outcome: undefined, durationUs: undefined, ...more })
const end = (id: string) => draftOf({ kind: 'outcome', call: id, outcome: 'ok', error: undefined, at: noon })

/** Rows of a table as cells, without its head. */
const cellsOf = (text: string) =>
  text
    .split('\n')
    .slice(2)
    .map((line) => line.split(/ {2,}/))

describe('weir audit', () => {
  it('B-128, D4-081: lists calls with their outcome, the newest first, and says where there is none', async () => {
    await audit.append([
      call('c1'),
      intent('c2', { at: noon - 2 }),
      end('c2'),
      intent('c3'),
      draftOf({
        kind: 'denials',
        at: noon,
        call: undefined,
        outcome: 'denied',
        error: 'PERMISSION_DENIED',
        count: 7,
      }),
      call('c4', { outcome: 'failed', error: 'AUDIT_UNAVAILABLE' }),
      intent('c4'),
    ])
    const { text, exit } = await run('list')
    expect(cellsOf(text).map(([, caller, tool, outcome]) => [caller, tool, outcome])).toEqual([
      ['local:ada', 'mail:send', 'AUDIT_UNAVAILABLE'],
      ['local:ada', 'mail:send', 'PERMISSION_DENIED ×7'],
      ['local:ada', 'mail:send', 'unknown'],
      ['local:ada', 'mail:send', 'ok'],
      ['local:ada', 'mail:send', 'ok'],
    ])
    expect(text).toContain('2026-11-29T11:59:59.998Z')
    expect([exit, closes]).toEqual([0, 1])
    const { json } = await run('list', { limit: '1' }, true)
    expect(json).toMatchObject({
      calls: [{ call: 'c4', error: 'AUDIT_UNAVAILABLE', thought: 'Bob asked for it.' }],
    })
  })

  it('lists what was asked for', async () => {
    const ids = async (options: object) => {
      const { calls } = (await run('list', options, true)).json as { calls: { call: string }[] }
      return calls.map((each) => each.call).join()
    }
    await audit.append([
      call('old', { at: noon - 49 * hour }),
      call('bob', { subject: 'local:bob' }),
      call('box', { tool: 'box:echo' }),
      intent('sent'),
      end('sent'),
    ])
    expect(await ids({})).toBe('sent,box,bob,old')
    expect(await ids({ tool: 'mail:*' })).toBe('sent,bob,old')
    expect(await ids({ caller: 'local:bob' })).toBe('bob')
    expect(await ids({ since: '2d' })).toBe('sent,box,bob')
    expect(await ids({ since: '2026-11-27' })).toBe('sent,box,bob,old')
    expect(await ids({ limit: '2' })).toBe('sent,box')
    const many = Array.from({ length: 1_200 }, (_, index) => [intent(`m${index}`), end(`m${index}`)]).flat()
    await audit.append(many)
    expect((await ids({ limit: '1201' })).split(',')).toHaveLength(1_201)
    expect((await run('list', { tool: 'no:tool' })).notes).toEqual(['The audit holds no such call.'])
  })

  it.each([
    [{ since: 'yesterday' }, 'INVALID_PARAMS --since "yesterday" is no time.'],
    [{ since: '2026-99-99' }, 'INVALID_PARAMS --since "2026-99-99" is no time.'],
    [{ limit: '0' }, 'INVALID_PARAMS --limit "0" is no number from 1 to 10000.'],
    [{ limit: 'all' }, 'INVALID_PARAMS --limit "all" is no number from 1 to 10000.'],
  ])('refuses %o', async (options, message) => {
    expect(await refusal(run('list', options))).toBe(message)
  })
})

describe('weir audit verify', () => {
  it('says that all is well, and prints the head to keep', async () => {
    await audit.append([call('a'), call('b')])
    const { head } = (await audit.chains())[0]!
    const { text, exit } = await run('verify')
    expect(text).toMatch(/^ok: 2 records/)
    expect(text).toContain(`head 2 ${head.hash}`)
    expect(exit).toBe(0)
    expect(await run('verify', { head: head.hash }, true)).toMatchObject({
      exit: 0,
      json: { ok: true, rows: 2, isHeadKept: true },
    })
    expect((await run('verify', { head: 'another' })).text).toContain(
      'the head another is in no chain any more',
    )
    expect(await run('verify', { head: 'another' }, true)).toMatchObject({ exit: 5, json: { ok: false } })
  })

  it('names what was tampered with, and fails', async () => {
    const { append } = audit
    await append([call('a')])
    const verdict = await audit.verify({})
    const fault = { chain: 'c', seq: 1, what: 'record 1 is missing' }
    audit = { ...audit, verify: async () => ({ ...verdict, fault }) }
    expect(await run('verify')).toMatchObject({ text: 'tampered: record 1 is missing (chain c)', exit: 5 })
    expect(await run('verify', {}, true)).toMatchObject({ json: { ok: false, fault }, exit: 5 })
  })
})

describe('weir audit export', () => {
  it('writes every record as a line, with its hash', async () => {
    await audit.append(Array.from({ length: 1_500 }, (_, index) => call(`c${index}`)))
    const { text, exit } = await run('export')
    const lines = text.split('\n').map((line) => JSON.parse(line) as { seq: number; hash: string })
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 1_500 }, (_, index) => index + 1))
    expect(lines.at(-1)?.hash).toBe((await audit.chains())[0]!.head.hash)
    expect(exit).toBe(0)
    expect((await run('export', { since: '10m' })).text).toBe('')
    expect(await refusal(run('export', { format: 'csv' }))).toBe('INVALID_PARAMS There is no format "csv".')
  })

  it('writes events of OCSF with everything that its class requires', async () => {
    await audit.append([
      call('c1'),
      intent('c2', { effect: 'destructive' }),
      call('c3', { outcome: 'failed', error: 'SQL_ERROR', tool: 'resource:files:file:///a', effect: 'read' }),
      draftOf({
        kind: 'lost',
        at: noon,
        call: undefined,
        tool: undefined,
        subject: undefined,
        effect: undefined,
        count: 3,
      }),
    ])
    const lines = (await run('export', { format: 'ocsf' })).text.split('\n')
    const events = lines.map((line) => JSON.parse(line))
    for (const event of events) {
      expect(event).toMatchObject({
        class_uid: 6003,
        category_uid: 6,
        type_uid: 600_300 + event.activity_id,
        time: expect.any(Number),
        severity_id: expect.any(Number),
        metadata: { version: '1.3.0', product: { name: 'Weir', vendor_name: 'Weir' } },
        actor: { user: { uid: expect.any(String) } },
        api: { operation: expect.any(String), request: { uid: expect.any(String) } },
        src_endpoint: { svc_name: expect.any(String) },
      })
    }
    expect(
      events.map(({ activity_id, status_id, api }) => [activity_id, status_id, api.service.name]),
    ).toEqual([
      [3, 1, 'mail'],
      [4, 0, 'mail'],
      [2, 2, 'files'],
      [99, 1, 'weir'],
    ])
    expect(events[0]).toMatchObject({ duration: 2, unmapped: { rule: 'role "clerk" allows tool:mail:*' } })
  })
})
