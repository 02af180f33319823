import { createWeir, version, type Weir } from '../app.ts'
import type { LoadedConfig } from '../config/config.ts'
import { onCrash } from './crash.ts'
import { exits } from './exit-codes.ts'
import { type ListenOptions, listen } from './listen.ts'
import type { Output } from './output.ts'
import { readUser } from './read-user.ts'
import { renderReadyScreen } from './ready-screen.ts'
import type { Setup } from './setup.ts'
import { createApprovalTeller } from './tell-approval.ts'

/** A gateway that listens, with what it was made of. */
export interface Serving {
  readonly setup: Setup
  readonly loaded: LoadedConfig
  readonly weir: Weir
  /** Without a slash at the end. */
  readonly url: string
}

/** Connections that take longer are shown as still starting. */
const readyMaxMs = 2_000
/** What a crashing process may still spend on telling its children and clients goodbye. */
const crashCloseMs = 2_000
/** Longer than the drain of calls and the end of children take together, so that it strikes only where something hangs. */
const closeMaxMs = 50_000

/** Opens the connections and begins to listen. What was opened is closed again where that fails. */
export async function openServing(setup: Setup, options: ListenOptions, output: Output): Promise<Serving> {
  const loaded = await setup.load()
  const onApproval = createApprovalTeller(output)
  const weir = createWeir({
    ...{ base: setup.base, loaded, user: readUser() },
    ...(onApproval === undefined ? {} : { onApproval }),
    ...(setup.reread === undefined ? {} : { reread: setup.reread }),
  })
  try {
    return { setup, loaded, weir, url: await listen(weir, options) }
  } catch (error) {
    await weir.close(0)
    throw error
  }
}

/** Says that Weir listens: at once to programs; to people with what they can do now, once that is known. */
export async function announce({ setup, weir, url, loaded }: Serving, output: Output): Promise<void> {
  for (const warning of loaded.warnings) output.tell('warning', warning)
  if (output.isJson) {
    output.json({ event: 'listening', url })
    return
  }
  await weir.catalog.proven(readyMaxMs)
  output.note(
    renderReadyScreen({
      version,
      url,
      connections: weir.catalog.connections(),
      isSample: setup.path === undefined,
      isConfiguredPort: Number(new URL(url).port) === setup.server.port,
    }),
  )
}

/** Stops in order; gives up where something hangs. */
export async function closeServing({ weir, setup }: Pick<Serving, 'weir' | 'setup'>): Promise<void> {
  const hanging = setTimeout(() => process.exit(exits.usage), closeMaxMs)
  await weir.close()
  await setup.close()
  clearTimeout(hanging)
}

/** A crash is logged and ends the process, which takes the children and the sample's files with it. */
export function closeOnCrash(
  current: () => { readonly weir: Weir | undefined; readonly setup: Setup },
): void {
  let isCrashing = false
  onCrash((error) => {
    const { weir, setup } = current()
    setup.base.log.error({ event: 'process.crashed', error: error?.stack ?? String(error) }, 'Weir crashed.')
    if (isCrashing) return
    isCrashing = true
    const end = () => {
      setup.base.log.flush()
      process.exit(exits.usage)
    }
    setTimeout(end, crashCloseMs)
    void Promise.resolve(weir?.close(0)).then(end, end)
  })
}
