import { type ChangeLimits, describeChange } from '../../core/describe-change.ts'
import { WeirError } from '../../core/error.ts'
import type { Pin, PinStore } from '../../core/stores.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { readUser } from '../read-user.ts'
import { renderTable } from '../render-table.ts'

/** The pins of the configured store, for as long as a command runs. */
interface OpenPins {
  readonly pins: PinStore
  close(): Promise<void>
}
type OpenPinStore = (context: CommandContext) => Promise<OpenPins>
type Act<O> = (context: CommandContext, options: O, words: readonly string[]) => Promise<number>

/** What `weir pins`, `weir pins diff` and `weir pins approve` do. */
interface PinCommands {
  readonly list: Act<object>
  readonly diff: Act<object>
  readonly approve: Act<ApproveOptions>
}

interface ApproveOptions {
  readonly all?: boolean
  /** The beginning of the hash that was looked at. */
  readonly hash?: string
}

/** Enough for any definition that people would read. */
const diffLimits: ChangeLimits = { linesMax: 500, valueCharsMax: 4_000 }
const hashShownChars = 12

/** Commands over the store that `openPinStore` opens. */
export function createPinCommands(openPinStore: OpenPinStore): PinCommands {
  const over =
    <O>(
      act: (pins: PinStore, output: Output, options: O, word: string | undefined) => Promise<number>,
    ): Act<O> =>
    async (context, options, [word]) => {
      const opened = await openPinStore(context)
      try {
        return await act(opened.pins, context.output, options, word)
      } finally {
        await opened.close()
      }
    }
  return { list: over(list), diff: over(diff), approve: over(approve) }
}

async function list(
  pins: PinStore,
  output: Output,
  _options: object,
  connection: string | undefined,
): Promise<number> {
  const all = await pins.list(connection)
  const rows = all
    .map((pin) => ({ pin, state: stateOf(pin, all) }))
    .filter(({ state }) => state !== 'resolved')
    .sort((a, b) => Number(a.pin.decision === 'approved') - Number(b.pin.decision === 'approved'))
  if (output.isJson) {
    output.json({ pins: rows.map(({ pin, state }) => describePin(pin, state)) })
    return exits.ok
  }
  if (rows.length === 0)
    output.note('Nothing is pinned yet: definitions are, when their connection is first up.')
  else
    output.text(
      renderTable(
        rows.map(({ pin, state }) => renderRow(pin, state)),
        output.lineLimit,
      ),
    )
  const waiting = rows.filter(({ pin }) => pin.decision === 'quarantined').length
  if (waiting > 0) {
    const what = waiting === 1 ? '1 definition waits' : `${waiting} definitions wait`
    output.note(`${what} for approval: see \`weir pins diff <id>\`, then \`weir pins approve <id>\`.`)
  }
  return exits.ok
}

async function diff(
  pins: PinStore,
  output: Output,
  _options: object,
  id: string | undefined,
): Promise<number> {
  const all = await pins.list()
  const found = all.filter((pin) => idOf(pin) === id && isWaiting(pin, all))
  if (found.length === 0) throw notWaiting(id, all)
  const shown = found.map((pin) => {
    const approved = findApproved(pin, all)
    const change = describeChange(approved?.definition, pin.definition, diffLimits)
    return { pin, approved, change }
  })
  if (output.isJson) {
    const described = shown.map(({ pin, approved, change }) => ({
      ...describePin(pin, stateOf(pin, all)),
      diff: change,
      ...(approved === undefined ? {} : { approved: JSON.parse(approved.definition) as unknown }),
      waiting: JSON.parse(pin.definition) as unknown,
    }))
    output.json({ definitions: described })
    return exits.ok
  }
  for (const { pin, change } of shown) {
    output.text(`${idOf(pin)} is ${stateOf(pin, all)}\n${change}`)
    const hash = pin.hash.slice(0, hashShownChars)
    output.note(`To approve exactly this: weir pins approve ${idOf(pin)} --hash ${hash}`)
  }
  return exits.ok
}

async function approve(
  pins: PinStore,
  output: Output,
  { all: isAll = false, hash }: ApproveOptions,
  word: string | undefined,
): Promise<number> {
  const all = await pins.list()
  const waiting = all.filter((pin) => isWaiting(pin, all))
  const ofConnection = waiting.filter(({ connection }) => connection === word)
  if (ofConnection.length > 0 && !isAll) throw wantsAll(word!, ofConnection.length)
  const chosen = isAll ? ofConnection : waiting.filter((pin) => idOf(pin) === word)
  if (chosen.length === 0) throw notWaiting(word, all)
  for (const pin of chosen) if (hash !== undefined && !isMeant(pin, hash)) throw changedSince(pin, hash)
  const decided = { decision: 'approved', decidedAt: Date.now(), decidedBy: `cli:${readUser()}` } as const
  // A Weir that runs takes what is approved for decided, whether the other pin is gone or not.
  await pins.put(chosen.map((pin) => ({ ...pin, ...decided })))
  await pins.remove(chosen)
  if (output.isJson)
    output.json({ approved: chosen.map((pin) => describePin({ ...pin, ...decided }, 'approved')) })
  else for (const pin of chosen) output.text(`approved ${idOf(pin)} (${pin.hash.slice(0, hashShownChars)})`)
  return exits.ok
}

type State = 'approved' | 'waiting, new' | 'waiting, changed' | 'resolved'

function stateOf(pin: Pin, all: readonly Pin[]): State {
  if (pin.decision === 'approved') return 'approved'
  if (!isWaiting(pin, all)) return 'resolved'
  return findApproved(pin, all) === undefined ? 'waiting, new' : 'waiting, changed'
}

/** One that was approved just before a crash may still lie there. */
function isWaiting(pin: Pin, all: readonly Pin[]): boolean {
  return pin.decision === 'quarantined' && findApproved(pin, all)?.hash !== pin.hash
}

function findApproved({ connection, kind, name }: Pin, all: readonly Pin[]): Pin | undefined {
  return all.find(
    (pin) =>
      pin.decision === 'approved' && pin.name === name && pin.kind === kind && pin.connection === connection,
  )
}

/** As the catalog names it. */
function idOf({ connection, kind, name }: Pin): string {
  if (kind === 'tool') return `${connection}:${name}`
  return `${kind === 'prompt' ? 'prompt' : 'resource'}:${connection}:${name}`
}

function renderRow(pin: Pin, state: State): Readonly<Record<string, string>> {
  const { decidedBy = '', seenAt } = pin
  return { id: idOf(pin), kind: pin.kind, state, 'first seen': dateOf(seenAt), 'decided by': decidedBy }
}

function describePin(pin: Pin, state: State) {
  const { connection, kind, name, hash, seenAt, decidedAt, decidedBy } = pin
  return {
    ...{ id: idOf(pin), connection, kind, name, state, hash, seenAt: dateOf(seenAt) },
    ...(decidedAt === undefined ? {} : { decidedAt: dateOf(decidedAt) }),
    ...(decidedBy === undefined ? {} : { decidedBy }),
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString()
}

/** A few characters would fit too many. */
function isMeant({ hash }: Pin, given: string): boolean {
  return given.length >= 6 && hash.startsWith(given)
}

function notWaiting(id = '', all: readonly Pin[]): WeirError {
  const isKnown = all.some((pin) => idOf(pin) === id || pin.connection === id)
  const what = isKnown ? 'is approved as it is' : 'is neither pinned nor a connection with pins'
  return new WeirError(
    'INVALID_PARAMS',
    `Nothing waits for approval: ${JSON.stringify(id.slice(0, 200))} ${what}.`,
    {
      hint: '`weir pins` lists what waits, with its id.',
    },
  )
}

function wantsAll(connection: string, count: number): WeirError {
  return new WeirError('INVALID_PARAMS', `${connection} is a connection; ${count} of its definitions wait.`, {
    hint: 'Name one of them, or add --all to approve every one.',
  })
}

function changedSince(pin: Pin, hash: string): WeirError {
  const now = pin.hash.slice(0, hashShownChars)
  const message = `${idOf(pin)} has another hash than ${JSON.stringify(hash.slice(0, 50))}: ${now}.`
  return new WeirError('INVALID_PARAMS', message, {
    hint: `It may have changed again; see \`weir pins diff ${idOf(pin)}\`.`,
  })
}
