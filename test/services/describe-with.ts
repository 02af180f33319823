import { describe, inject } from 'vitest'
import { type ServiceName, services } from './services.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The URLs of the servers that this run found or started, by name. */
    services: Readonly<Partial<Record<ServiceName, string>>>
  }
}

/** A chapter that needs a real server: skipped, and said so when the run ends, where there is none. */
export function describeWith(name: ServiceName, title: string, body: (url: string) => void): void {
  const url = inject('services')[name]
  if (url === undefined) describe.skip(`${title} (needs ${services[name].title})`, () => body(''))
  else describe(title, () => body(url))
}
