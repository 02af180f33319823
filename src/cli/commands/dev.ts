import { createBase } from '../../app.ts'
import { toWeirError } from '../../core/error.ts'
import { createLog, type Log } from '../../telemetry/log.ts'
import type { CommandContext } from '../command-context.ts'
import { watchSignals } from '../interruption.ts'
import type { ListenOptions } from '../listen.ts'
import { type Output, toFailure } from '../output.ts'
import { announce, closeOnCrash, closeServing, openServing, type Serving } from '../serving.ts'
import { defaultConfigPath, findConfigPath, openSetup, type Setup } from '../setup.ts'
import { watchFile } from '../watch-file.ts'

/** Calls under way get this long to end before a new configuration takes over; the developer waits for it. */
const reloadDrainMs = 1_000

/** `weir dev`: serves, and takes over each valid state of the configuration file. A file that appears replaces the sample. */
export async function dev(context: CommandContext, options: ListenOptions): Promise<number> {
  const interruption = watchSignals()
  const log = createLog()
  const setup = await openSetup(context, log)
  const file = watchFile(setup.path ?? defaultConfigPath)
  let serving: Serving | undefined
  try {
    serving = await openServing(setup, options, context.output)
    closeOnCrash(() => serving ?? { weir: undefined, setup })
    await Promise.race([announce(serving, context.output), interruption.exit])
    for (;;) {
      const exit = await Promise.race([interruption.exit, file.changed()])
      if (typeof exit === 'number') return exit
      serving = await reload(serving, { context, options, log })
    }
  } finally {
    file.close()
    if (serving !== undefined) await closeServing(serving)
    await setup.close()
  }
}

interface Reloading {
  readonly context: CommandContext
  readonly options: ListenOptions
  readonly log: Log
}

/**
 * The gateway with the changed file: the same one, where it can take the file over; the one there was, where the file
 * is not valid; another one, where only a new start can take over what has changed.
 */
async function reload(serving: Serving, { context, options, log }: Reloading): Promise<Serving> {
  const { output } = context
  const path = serving.setup.path ?? findConfigPath(context)
  if (path === undefined) return serving
  let next: Setup
  try {
    next = await openSetup({ ...context, configPath: path }, log)
    const loaded = await next.load()
    const isSame = serving.setup.path !== undefined
    if (isSame && serving.weir.planReload(loaded).atNextStart.length === 0) {
      await serving.weir.reload(loaded)
      tellReloaded(output, path, serving.url)
      return serving
    }
  } catch (thrown) {
    output.fail(toFailure(toWeirError(thrown)))
    output.note('The last valid configuration is still served.')
    return serving
  }
  const at = keepPort(serving, next, options)
  const replaced = await replace(serving, next, { context, options: at, log })
  const isNew = replaced.setup === next
  if (isNew) tellReloaded(output, path, replaced.url)
  else if (output.isJson) output.json({ event: 'restored', url: replaced.url })
  else output.note(`The last configuration is served again: ${replaced.url}`)
  return replaced
}

function tellReloaded(output: Output, path: string, url: string): void {
  if (output.isJson) output.json({ event: 'reloaded', url })
  else output.note(`Loaded ${path} again: ${url}`)
}

/** A port that was chosen freely stays the same, so that clients find it again. */
function keepPort({ url, setup }: Serving, next: Setup, options: ListenOptions): ListenOptions {
  const before = options.port ?? String(setup.server.port)
  const wanted = options.port ?? String(next.server.port)
  return before === '0' && wanted === '0' ? { ...options, port: new URL(url).port } : options
}

/** Stops the one and starts the other on the same port; where that fails, starts the first again. */
async function replace(
  serving: Serving,
  next: Setup,
  { context, options, log }: Reloading,
): Promise<Serving> {
  await serving.weir.close(reloadDrainMs)
  try {
    const replaced = await openServing(next, options, context.output)
    await serving.setup.close()
    return replaced
  } catch (thrown) {
    context.output.fail(toFailure(toWeirError(thrown)))
    const base = createBase({ hostEnv: process.env, log })
    const port = new URL(serving.url).port
    return await openServing({ ...serving.setup, base }, { ...options, port }, context.output)
  }
}
