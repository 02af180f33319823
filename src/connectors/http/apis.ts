import { WeirError } from '../../core/error.ts'
import type { Effect } from '../../core/tool.ts'
import type { Egress } from '../../egress/egress.ts'
import { type Api, checkApi, openApi } from './api.ts'
import type { ApiConfig } from './http-config.ts'

/** A connection's APIs by name. An unknown name is an error and never a request without credentials (D0-033, C-25). */
export class Apis {
  readonly #open: ReadonlyMap<string, Api>
  /** The longest time that one request to any of them may take. */
  readonly timeoutMs: number
  /** The worst that any of them lets a caller do. */
  readonly effect: Effect

  constructor(open: ReadonlyMap<string, Api>) {
    this.#open = open
    const configs = [...open.values()].map(({ config }) => config)
    this.timeoutMs = Math.max(...configs.map(({ timeoutMs }) => timeoutMs))
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

  async check(signal: AbortSignal): Promise<void> {
    await Promise.all(this.list().map((api) => checkApi(api, signal)))
  }

  async close(): Promise<void> {
    await Promise.all(this.list().map((api) => api.client.close()))
  }
}

/** Opens all of them, or none: what was opened before one failed is closed again. */
export function openApis(configs: Readonly<Record<string, ApiConfig>>, egress: Egress): Apis {
  const opened = new Map<string, Api>()
  try {
    for (const [name, config] of Object.entries(configs)) opened.set(name, openApi(name, config, egress))
    return new Apis(opened)
  } catch (thrown) {
    for (const { client } of opened.values()) void client.close()
    throw thrown
  }
}

function worstEffect(allowed: ReadonlySet<string>): Effect {
  if (allowed.has('DELETE')) return 'destructive'
  return [...allowed].every((method) => method === 'GET') ? 'read' : 'write'
}

function describeApi({ name, base, config }: Api): string {
  const text = config.description === undefined ? '' : `: ${config.description}`
  return `- ${name} (${base.href}; ${config.methods.join(', ')})${text}`
}
