import { z } from 'zod'

/** The config of one `custom` connection. */
export const customConfig = z.strictObject({
  module: z
    .string()
    .min(1)
    .max(1000)
    .refine((path) => findPathFault(path) === undefined, {
      error: ({ input }) => findPathFault(String(input)) ?? 'is not a path',
    })
    .describe(
      'The module whose default export is the connector: a `.ts`, `.mts`, `.js` or `.mjs` file in the config file’s folder or below it, such as `./my-connector.ts`. It runs inside Weir, as trusted as Weir itself.',
    ),
  config: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('What the module’s own connector is configured with; its own schema checks it.'),
})

/** What `customConfig` gives. */
export type CustomConfig = z.output<typeof customConfig>

/** What can be told from the path alone. Where it leads by links is known when it is loaded. */
function findPathFault(path: string): string | undefined {
  if (/\p{Cc}/u.test(path)) return 'holds a control character'
  if (/^[/\\]|^[a-z][a-z0-9+.-]*:/i.test(path)) return 'must be relative to the config file'
  if (path.split(/[/\\]/).includes('..')) return 'must not lead out of the config file’s folder'
  if (!/[^/\\]\.m?[jt]s$/.test(path)) return 'must end in .ts, .mts, .js or .mjs'
  return undefined
}
