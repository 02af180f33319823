import { parentPort, workerData } from 'node:worker_threads'
import { convertYaml } from './convert-yaml.ts'

// Reads one document and ends. Nothing else runs on this thread.

/** What the thread says at its end. */
export type YamlAnswer = { readonly json: string } | { readonly fault: string }

parentPort!.postMessage(answer(workerData as string))

function answer(text: string): YamlAnswer {
  try {
    return { json: convertYaml(text) }
  } catch (thrown) {
    return { fault: (thrown as Error).message }
  }
}
