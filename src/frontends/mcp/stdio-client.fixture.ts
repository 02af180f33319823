import { once } from 'node:events'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { createLineDecoder } from '../../wire/framing.ts'
import type { Gateway, Message } from './gateway.fixture.ts'

/** The client's ends of two pipes. */
export class PipeClient {
  readonly #input: Writable
  readonly #output: Readable
  readonly #arrived: Message[] = []

  constructor(input: Writable, output: Readable) {
    this.#input = input
    this.#output = output
    const decoder = createLineDecoder((line) => this.#arrived.push(JSON.parse(line)), 2 ** 27)
    output.on('data', (chunk: Buffer) => {
      decoder.push(chunk)
      output.emit('arrived')
    })
  }

  write(message: unknown): void {
    this.#input.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`)
  }

  async next(): Promise<Message> {
    while (this.#arrived.length === 0) await once(this.#output, 'arrived')
    return this.#arrived.shift()!
  }

  /** Sends a request and gives the next message, which nothing may come before. */
  ask({ body }: { body?: unknown }): Promise<Message> {
    this.write(body)
    return this.next()
  }

  /** What came and was not asked for. */
  get unread(): readonly Message[] {
    return this.#arrived
  }
}

/** Serves one client over two pipes, of which the client has the other ends. */
export function serveOverPipes(gateway: Gateway): {
  client: PipeClient
  input: PassThrough
  output: PassThrough
  served: Promise<void>
} {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const served = gateway.weir.serveStdio(input, output)
  return { client: new PipeClient(input, output), input, output, served }
}
