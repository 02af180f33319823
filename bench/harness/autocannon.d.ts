/** The part of autocannon that the benchmark uses; the package ships no types. */
declare module 'autocannon' {
  interface Options {
    readonly url: string
    readonly method: 'POST'
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    readonly expectBody?: string
    readonly verifyBody?: (body: string | Buffer) => boolean
    readonly connections: number
    readonly pipelining: number
    readonly duration: number
    readonly sampleInt: number
    readonly timeout: number
  }
  interface Result {
    readonly requests: { readonly total: number; readonly sent: number }
    readonly duration: number
    readonly errors: number
    readonly timeouts: number
    readonly mismatches: number
    readonly non2xx: number
    readonly '2xx': number
  }
  export default function autocannon(options: Options): Promise<Result>
}
