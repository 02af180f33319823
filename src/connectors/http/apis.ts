import { WeirError } from '../../core/error.ts'
import type { Effect } from '../../core/tool.ts'
import { type Api, type ApiParts, checkApi, closeApi, openApi } from './api.ts'
import type { ApiConfig } from './http-config.ts'

const severalTimeoutMsMin = 60_000
const severalTimeoutMsMax = 600_000

/** A connection's APIs by name. An unknown name is an error and never a request without credentials (D0-033, C-25). */
export class Apis {
  readonly #open: ReadonlyMap<string, Api>
  /** The longest time that one request to any of them may take. */
  readonly timeoutMs: number
  /** The longest time that a call of several requests may take. */
  readonly severalTimeoutMs: number
  /** The worst that any of them lets a caller do. */
  readonly effect: Effect

  constructor(open: ReadonlyMap<string, Api>) {
    this.#open = open
    const configs = [...open.values()].map(({ config }) => config)
    this.timeoutMs = Math.max(...configs.map(({ timeoutMs }) => timeoutMs))
    this.severalTimeoutMs = Math.min(severalTimeoutMsMax, Math.max(severalTimeoutMsMin, 2 * this.timeoutMs))
    this.effect = worstEffect(new Set(configs.flatMap(({ methods }) => methods)))
  }

  get(name: string): Api {
    const api = this.#open.get(name)
    if (api !== undefined) return api
    const known = [...this.#open.keys()]
    throw new WeirError('UNKNOWN_API', `There is no API ${JSON.stringify(name.slice(0, 100))}.`, {
      hint: `Use one of: ${known.join(', ')}.`,
      data: { api_name: name.slice(0, 100), known },
    })
  }

  /** All of them, in the order of the configuration. */
  list(): readonly Api[] {
    return [...this.#open.values()]
  }

  /** One line for each, as a tool's description ends. */
  describe(): string {
    return this.list().map(describeApi).join('\n')
  }

  /** All at once, each within seconds; what is said of the first that fails names the others too. */
  async check(signal: AbortSignal): Promise<void> {
    const outcomes = await Promise.allSettled(this.list().map((api) => checkApi(api, signal)))
    const down = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ name: this.list()[index]!.name, error: outcome.reason }] : [],
    )
    if (down.length > 0) throw nameAll(down)
  }

  async close(): Promise<void> {
    await Promise.all(this.list().map(closeApi))
  }
}

/** Opens all of them, or none: what was opened before one failed is closed again. */
export function openApis(configs: Readonly<Record<string, ApiConfig>>, parts: ApiParts): Apis {
  const opened = new Map<string, Api>()
  try {
    for (const [name, config] of Object.entries(configs)) opened.set(name, openApi(name, config, parts))
    return new Apis(opened)
  } catch (thrown) {
    for (const api of opened.values()) void closeApi(api)
    throw thrown
  }
}

function nameAll(down: readonly { readonly name: string; readonly error: unknown }[]): unknown {
  const { error } = down[0]!
  if (down.length === 1 || !(error instanceof WeirError)) return error
  const others = down.slice(1).map(({ name }) => name)
  const more = others.length > 5 ? ` and ${others.length - 5} more` : ''
  return new WeirError(error.code, `${error.message} Also down: ${others.slice(0, 5).join(', ')}${more}.`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    data: { ...error.data, down: down.map(({ name }) => name) },
    cause: error,
  })
}

function worstEffect(allowed: ReadonlySet<string>): Effect {
  if (allowed.has('DELETE')) return 'destructive'
  return [...allowed].every((method) => method === 'GET') ? 'read' : 'write'
}

function describeApi({ name, base, config }: Api): string {
  const text = config.description === undefined ? '' : `: ${config.description}`
  return `- ${name} (${base.href}; ${config.methods.join(', ')})${text}`
}
