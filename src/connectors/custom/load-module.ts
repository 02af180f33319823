import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Clock } from '../../core/clock.ts'
import type { AnyConnector, OpenContext } from '../../core/connector.ts'
import { isObject } from '../../core/parse-json.ts'
import { logThrown, moduleError } from './module-error.ts'

const importTimeoutMs = 10_000
const wordsCharsMax = 300

/** What modules are loaded with. */
export interface ModuleLoader {
  /** Imports a module by its URL. Given from outside, so that one place alone loads code by a name from a file. */
  readonly importModule: (url: string) => Promise<unknown>
  readonly clock: Clock
}

/** Loads the connector that a module exports by default. Rejects with CONFIG_INVALID, which names the module and the cure. */
export async function loadModule(
  module: string,
  { baseDir, log, signal }: Pick<OpenContext, 'baseDir' | 'log' | 'signal'>,
  loader: ModuleLoader,
): Promise<AnyConnector> {
  const { path, root, version } = await findModule(module, baseDir)
  // A changed file is another module to Node; the former one stays in memory for as long as the process lives.
  const url = `${pathToFileURL(path).href}?v=${version}`
  let loaded: unknown
  try {
    loaded = await importWithin(module, url, loader, signal)
  } catch (thrown) {
    signal.throwIfAborted()
    logThrown(log, module, thrown)
    throw explain(module, thrown, root)
  }
  return readConnector(module, isObject(loaded) ? loaded['default'] : undefined)
}

/** S19: the file, wherever links lead, lies in the config file's folder. */
async function findModule(
  module: string,
  baseDir: string,
): Promise<{ readonly path: string; readonly root: string; readonly version: string }> {
  let root: string
  let path: string
  try {
    root = await realpath(baseDir)
    path = await realpath(resolve(baseDir, module))
  } catch (cause) {
    const hint = 'Check `module`; it is relative to the config file.'
    throw moduleError(module, 'is not there, or cannot be read', hint, { cause })
  }
  const inside = relative(root, path)
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    const hint = 'Put the file itself into the config file’s folder or below it, not a link to it.'
    throw moduleError(module, 'leads out of the config file’s folder', hint)
  }
  const { mtimeMs } = await stat(path)
  // Without a dot: tools take what follows one for the file’s extension.
  return { path, root, version: String(mtimeMs).replace('.', '-') }
}

/** Code that never ends its import is left behind; it cannot be stopped, and its result is dropped. */
function importWithin(
  module: string,
  url: string,
  { importModule, clock }: ModuleLoader,
  signal: AbortSignal,
): Promise<unknown> {
  return new Promise((settle, reject) => {
    signal.throwIfAborted()
    const abort = () => reject(signal.reason)
    const timer = clock.setTimer(() => {
      const hint = 'Do no work at the top of the module; the connector’s `open` is the place for it.'
      reject(moduleError(module, `did not end its import within ${importTimeoutMs / 1000} s`, hint))
    }, importTimeoutMs)
    signal.addEventListener('abort', abort, { once: true })
    importModule(url)
      .then(settle, reject)
      .finally(() => {
        timer.cancel()
        signal.removeEventListener('abort', abort)
      })
  })
}

/** What Node itself says of a module may be shown; what the module's own code threw may hold anything. */
function explain(module: string, thrown: unknown, root: string): Error {
  if (thrown instanceof Error && 'code' in thrown && thrown.code === 'CONFIG_INVALID') return thrown
  const { name = 'an error', message = '', code } = thrown as Partial<NodeJS.ErrnoException>
  const missing = /^Cannot find package '([^']+)'/.exec(message)?.[1]
  if (missing !== undefined) {
    const hint = `Run \`npm install ${missing}\` in the config file’s folder.`
    return moduleError(module, `imports ${missing}, which is not installed there`, hint, { cause: thrown })
  }
  if (!(thrown instanceof SyntaxError) && !String(code).startsWith('ERR_')) {
    const hint = 'The log holds what it threw. Mend it; the file is loaded again once it has changed.'
    return moduleError(module, `threw ${name} when it was imported`, hint, { cause: thrown })
  }
  const words = message.replaceAll(root, '.').replace(/\s+/g, ' ').trim().slice(0, wordsCharsMax)
  const hint = 'Mend the file; it is loaded again once it has changed.'
  return moduleError(module, `cannot be loaded: ${words.replace(/\.$/, '')}`, hint, { cause: thrown })
}

/** The default export, if it has all that a connector needs. */
function readConnector(module: string, exported: unknown): AnyConnector {
  const hint =
    'Export what `defineConnector` of `weir/connector` gives: `export default defineConnector({ … })`.'
  if (!isObject(exported)) throw moduleError(module, 'has no connector as its default export', hint)
  const { type, summary, config, open } = exported
  const isText = (value: unknown) => typeof value === 'string' && value.trim() !== ''
  const lacking = [
    ...(isText(type) ? [] : ['type']),
    ...(isText(summary) ? [] : ['summary']),
    ...(isObject(config) && isObject(config['~standard']) ? [] : ['config (a schema)']),
    ...(typeof open === 'function' ? [] : ['open']),
  ]
  if (lacking.length === 0) return exported as unknown as AnyConnector
  throw moduleError(module, `exports no connector: it lacks ${lacking.join(', ')}`, hint)
}
