import { createWeir } from '../../app.ts'
import type { ConnectionStatus } from '../../core/catalog.ts'
import type { CommandContext } from '../command-context.ts'
import { describeState } from '../describe-state.ts'
import { exits } from '../exit-codes.ts'
import { watchSignals } from '../interruption.ts'
import type { Output } from '../output.ts'
import { readPort } from '../read-port.ts'
import { readUser } from '../read-user.ts'
import { renderTable } from '../render-table.ts'
import { findRunningWeir, type RunningWeir } from '../running-weir.ts'
import { type ListedTool, searchTools } from '../search-tools.ts'
import { openSetup, quiet, type Setup } from '../setup.ts'

/** A cold `npx` takes that long to bring up a server. */
const settleMaxMs = 60_000

interface Listing {
  readonly tools: readonly ListedTool[]
  readonly connections: readonly Partial<ConnectionStatus>[]
}

/** `weir tools [words…]` */
export async function tools(
  context: CommandContext,
  options: { readonly port?: string },
  words: readonly string[],
): Promise<number> {
  const { output } = context
  const setup = await openSetup(context)
  try {
    const at = { ...setup.server, ...readPort(options.port) }
    const running = await findRunningWeir(setup.base.egress, at)
    const listing = running === undefined ? await listHere(setup) : listThere(running)
    if (listing === 'interrupted') return exits.interrupted
    return show(listing, words, output)
  } finally {
    await setup.base.egress.close()
    await setup.close()
  }
}

function listThere({ tools, connections }: RunningWeir): Listing {
  return {
    tools: tools.map(({ connection: _, input: __, ...tool }) => tool),
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

async function listHere(setup: Setup): Promise<Listing | 'interrupted'> {
  const { signal } = watchSignals()
  const weir = createWeir({ base: setup.base, loaded: quiet(await setup.load()), user: readUser() })
  try {
    const left = new Promise((resolve) => signal.addEventListener('abort', resolve))
    await Promise.race([weir.catalog.settled(settleMaxMs), left])
    if (signal.aborted) return 'interrupted'
    const entries = (weir.catalog.view()?.tools.list() ?? []).map(({ entry }) => entry)
    return {
      tools: entries.map(({ id, target }) => ({
        id,
        effect: target.effect,
        description: target.description,
      })),
      connections: weir.catalog.connections(),
    }
  } finally {
    await weir.close()
  }
}

function show(listing: Listing, words: readonly string[], output: Output): number {
  const { tools } = listing
  // A driver may quote the whole address it could not reach.
  const connections = listing.connections.map(({ cause, ...connection }) =>
    cause === undefined ? connection : { ...connection, cause: output.redact(cause) },
  )
  const found = searchTools(tools, words)
  if (output.isJson) output.json({ tools: found, connections })
  else if (found.length > 0) output.text(renderTable(found.map(renderRow), output.lineLimit))
  if (found.length === 0 && tools.length > 0) output.note(`No tool matches ${words.join(' ')}.`)
  // What is idle is called when it is needed, and is no fault.
  const out = connections.filter(({ state }) => state !== 'up' && state !== 'idle')
  if (!output.isJson) {
    for (const connection of out) {
      const cause = 'cause' in connection ? connection.cause : undefined
      output.tell('warning', `connection ${connection.name} ${describeState(connection.state, cause)}`)
    }
  }
  return tools.length === 0 && out.length > 0 ? exits.unreachable : exits.ok
}

function renderRow({ id, effect, description }: ListedTool): Readonly<Record<string, string>> {
  const line = description.trim().split('\n')[0]!
  return { tool: id, ...(effect === undefined ? {} : { effect }), description: line }
}
