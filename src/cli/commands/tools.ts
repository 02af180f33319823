import { createWeir } from '../../app.ts'
import type { ConnectionStatus } from '../../core/catalog.ts'
import { categoryOf } from '../../core/tool.ts'
import type { CommandContext } from '../command-context.ts'
import { describeState } from '../describe-state.ts'
import { exits } from '../exit-codes.ts'
import { watchSignals } from '../interruption.ts'
import type { Output } from '../output.ts'
import { readPort } from '../read-port.ts'
import { readUser } from '../read-user.ts'
import { renderTable } from '../render-table.ts'
import { findRunningWeir, type RunningWeir, type ToolQuery } from '../running-weir.ts'
import { openSetup, quiet, type Setup } from '../setup.ts'

/** A cold `npx` takes that long to bring up a server. */
const settleMaxMs = 60_000

/** More than fit a screen help nobody who searches. */
const foundMax = 20
/** What a running Weir reads. */
const wordsCharsMax = 1_000

/** A tool as it is printed. */
interface ListedTool {
  readonly id: string
  readonly effect?: string
  readonly category?: string
  readonly description: string
}

interface Listing {
  /** How many there are in all. */
  readonly total: number
  readonly found: readonly ListedTool[]
  readonly connections: readonly Partial<ConnectionStatus>[]
}

/** `weir tools [words…]` */
export async function tools(
  context: CommandContext,
  options: { readonly port?: string; readonly category?: string },
  words: readonly string[],
): Promise<number> {
  const { output } = context
  const setup = await openSetup(context)
  try {
    const at = { ...setup.server, ...readPort(options.port) }
    const running = await findRunningWeir(setup.base.egress, at)
    const query = readQuery(words.join(' ').trim(), options.category)
    const listing = running === undefined ? await listHere(setup, query) : await listThere(running, query)
    if (listing === 'interrupted') return exits.interrupted
    return show(listing, query, output)
  } finally {
    await setup.base.egress.close()
    await setup.close()
  }
}

function readQuery(words: string, category: string | undefined): ToolQuery {
  return {
    ...(words === '' ? {} : { search: words.slice(0, wordsCharsMax) }),
    ...(category === undefined ? {} : { category }),
  }
}

async function listThere(running: RunningWeir, query: ToolQuery): Promise<Listing> {
  const { tools, connections } = running
  const found = Object.keys(query).length === 0 ? tools : await running.find(query)
  const shown = query.search === undefined ? found : found.slice(0, foundMax)
  return {
    total: tools.length,
    found: shown.map(({ connection: _, input: __, ...tool }) => tool),
    connections: connections.map((name) => {
      const count = tools.filter(({ connection }) => connection === name).length
      const silence = {
        state: 'down',
        cause: 'it offers no tools; the log of the running Weir says why',
      } as const
      return { name, tools: count, ...(count > 0 ? { state: 'up' } : silence) }
    }),
  }
}

async function listHere(setup: Setup, asked: ToolQuery): Promise<Listing | 'interrupted'> {
  const { signal } = watchSignals()
  const weir = createWeir({ base: setup.base, loaded: quiet(await setup.load()), user: readUser() })
  try {
    const left = new Promise((resolve) => signal.addEventListener('abort', resolve))
    await Promise.race([weir.catalog.settled(settleMaxMs), left])
    if (signal.aborted) return 'interrupted'
    const { search = '', category } = asked
    const limit = search === '' ? Number.POSITIVE_INFINITY : foundMax
    const found = await weir.catalog.search(search, { limit, category })
    return {
      total: weir.catalog.view()?.tools.list().length ?? 0,
      found: found.map(({ id, target }) => ({
        id,
        effect: target.effect,
        category: categoryOf(target),
        description: target.description,
      })),
      connections: weir.catalog.connections(),
    }
  } finally {
    await weir.close()
  }
}

function show(listing: Listing, { search, category }: ToolQuery, output: Output): number {
  const { found, total } = listing
  // A driver may quote the whole address it could not reach.
  const connections = listing.connections.map(({ cause, ...connection }) =>
    cause === undefined ? connection : { ...connection, cause: output.redact(cause) },
  )
  if (output.isJson) output.json({ tools: found, connections })
  else if (found.length > 0) output.text(renderTable(found.map(renderRow), output.lineLimit))
  if (found.length === 0 && total > 0) {
    const asked = [search, category].filter((part) => part !== undefined)
    output.note(`No tool matches ${asked.join(' in ')}.`)
  }
  // What is idle is called when it is needed, and whether the system behind it answers is not what was asked.
  const out = connections.filter(
    ({ state, tools }) => state !== 'up' && state !== 'idle' && !(state === 'starting' && (tools ?? 0) > 0),
  )
  if (total === 0 && out.length === 0)
    output.note('There are no tools. `weir pins` shows those that wait for approval.')
  if (!output.isJson) {
    for (const connection of out) {
      const cause = 'cause' in connection ? connection.cause : undefined
      output.tell('warning', `connection ${connection.name} ${describeState(connection.state, cause)}`)
    }
  }
  return total === 0 && out.length > 0 ? exits.unreachable : exits.ok
}

function renderRow({ id, effect, description }: ListedTool): Readonly<Record<string, string>> {
  const line = description.trim().split('\n')[0]!
  return { tool: id, ...(effect === undefined ? {} : { effect }), description: line }
}
