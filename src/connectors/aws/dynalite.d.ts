/** The package has no types; this is what the fixture uses of it. */
declare module 'dynalite' {
  import type { Server } from 'node:http'

  export default function dynalite(options: { readonly createTableMs?: number }): Server
}
