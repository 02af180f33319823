import { Worker } from 'node:worker_threads'
import { convertYaml } from './convert-yaml.ts'
import type { YamlAnswer } from './yaml-thread.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
/** A short text is read at once; a megabyte takes a second or more, in which no call would be answered. */
const charsAtOnceMax = 16 * 1024
const timeoutMs = 60_000
const memoryMb = 1_024

/** YAML as JSON text, read on a thread of its own. Rejects with an Error that says what is wrong with it. */
export async function parseYaml(text: string, signal: AbortSignal): Promise<string> {
  if (text.length <= charsAtOnceMax) return convertYaml(text)
  const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  ended.throwIfAborted()
  const worker = new Worker(new URL(`./yaml-thread.${extension}`, import.meta.url), {
    workerData: text,
    name: 'weir-yaml',
    env: {},
    execArgv: ['--no-warnings'],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  })
  const stop = new AbortController()
  try {
    return await new Promise<string>((resolve, reject) => {
      const onAbort = () =>
        reject(signal.aborted ? signal.reason : new Error(`it takes more than ${timeoutMs} ms to read`))
      ended.addEventListener('abort', onAbort, { signal: stop.signal })
      worker.on('message', (answer: YamlAnswer) =>
        'json' in answer ? resolve(answer.json) : reject(new Error(answer.fault)),
      )
      worker.on('error', (cause) => reject(new Error('it takes more memory to read than it may', { cause })))
      worker.on('exit', () => reject(new Error('it could not be read')))
    })
  } finally {
    stop.abort()
    await worker.terminate()
  }
}
