import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Base, createBase } from '../app.ts'
import type { Config, LoadedConfig } from '../config/config.ts'
import { loadConfig, parseConfig } from '../config/load.ts'
import type { Sample } from '../scaffold/sample.ts'
import type { CommandContext } from './command-context.ts'

/** The file that is looked for where none is named. */
export const defaultConfigPath = 'weir.yaml'

/** A configuration and what it is run with. */
export interface Setup {
  readonly base: Base
  /** The file, as people wrote it; undefined where the sample stands in for it. */
  readonly path: string | undefined
  /** Where the configured Weir listens. */
  readonly server: Config['server']
  /** The checked configuration. Makes the sample at the first call, where it is needed: not every command does. */
  load(): Promise<LoadedConfig>
  /** Reads and checks the file again; absent for the sample. */
  readonly reread?: () => Promise<LoadedConfig>
  /** Removes the sample. Safe to call twice, and without `load`. */
  close(): Promise<void>
}

/** The file that the command means; undefined for the sample. */
export function findConfigPath({ configPath }: CommandContext): string | undefined {
  if (configPath !== undefined) return configPath
  return existsSync(defaultConfigPath) ? defaultConfigPath : undefined
}

/** Reads and checks the configuration, or gets ready to make the sample. Throws CONFIG_INVALID and CONFIG_NOT_FOUND. */
export async function openSetup(context: CommandContext, log?: Base['log']): Promise<Setup> {
  const base = createBase({ hostEnv: process.env, ...(log === undefined ? {} : { log }) })
  const path = findConfigPath(context)
  if (path === undefined) return openSample(base, context)
  const reread = async () => {
    const read = await loadConfig({ path, env: process.env, connectors: base.connectors })
    context.output.redactWith((text) => read.secrets.redact(text))
    return read
  }
  const loaded = await reread()
  return { base, path, server: loaded.config.server, load: async () => loaded, reread, close: async () => {} }
}

function openSample(base: Base, { output }: CommandContext): Setup {
  let making: Promise<readonly [Sample, LoadedConfig]> | undefined
  const make = async () => {
    const { createSample } = await import('../scaffold/sample.ts')
    output.tell(
      'note',
      'There is no weir.yaml here: this is the sample shop. `weir init` writes a weir.yaml of your own.',
    )
    const sample = await createSample({
      level: 'warn',
      format: process.stderr.isTTY === true ? 'pretty' : 'json',
    })
    process.once('exit', sample.removeFiles)
    const loaded = parseSample(base, sample.config, sample.dir)
    output.redactWith((text) => loaded.secrets.redact(text))
    return [sample, loaded] as const
  }
  return {
    base,
    path: undefined,
    // Found only when asked for: a server that starts is told where to listen by its configuration itself.
    get server() {
      return parseSample(base, {}, '.').config.server
    },
    async load() {
      making ??= make()
      return (await making)[1]
    },
    async close() {
      const [sample] = (await making) ?? []
      if (sample === undefined) return
      await sample.close()
      process.off('exit', sample.removeFiles)
    },
  }
}

/** `$` is doubled: the paths of this machine are no references to variables. */
function parseSample(base: Base, config: Readonly<Record<string, unknown>>, dir: string): LoadedConfig {
  return parseConfig({
    text: JSON.stringify(config).replaceAll('$', '$$$$'),
    path: join(dir, defaultConfigPath),
    env: {},
    connectors: base.connectors,
    readFile: () => {
      throw new Error('the sample reads no files')
    },
  })
}

/** The same configuration with a log that keeps to what went wrong: for commands that are not servers. */
export function quiet(loaded: LoadedConfig): LoadedConfig {
  return { ...loaded, config: { ...loaded.config, log: { ...loaded.config.log, level: 'error' } } }
}
