/** What a running call may tell its caller before it ends. The frontend bounds and drops; emitting never waits. */
export type CallEvent =
  | {
      readonly kind: 'progress'
      readonly progress: number
      readonly total?: number
      readonly message?: string
      /** Unknown fields an upstream sent; they survive the hop. */
      readonly extra?: Readonly<Record<string, unknown>>
    }
  /** The user is done at a URL that the call had asked for. */
  | { readonly kind: 'elicitation-complete'; readonly elicitationId: string }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly logger?: string; readonly data: unknown }

/** Syslog levels, as MCP names them, mildest first. */
export const logLevels = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const
export type LogLevel = (typeof logLevels)[number]
