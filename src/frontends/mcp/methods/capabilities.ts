import { tasksExtension } from '../../../wire/model.ts'

/**
 * What Weir says it can do, the same at every URL: what a connection does not offer now it may offer after its next
 * change, and clients ask only for what was declared at the first contact.
 */
export const serverCapabilities = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
} as const

/** The same for clients of the modern era, which alone can speak extensions. */
export const modernCapabilities = { ...serverCapabilities, extensions: { [tasksExtension]: {} } }
