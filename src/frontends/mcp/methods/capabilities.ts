/** What Weir says it can do. Resources and prompts are answered with empty lists, because no connection offers any. */
export const serverCapabilities = {
  tools: { listChanged: true },
  resources: {},
  prompts: {},
  logging: {},
} as const
