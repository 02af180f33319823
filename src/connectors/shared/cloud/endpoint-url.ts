import { z } from 'zod'

/** Where a service is reached instead of at its cloud: http or https, and no more than origin and path. */
export const endpointUrl = z.url({ protocol: /^https?$/ }).refine((value) => {
  const url = URL.parse(value)
  return url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}, 'must hold neither credentials nor a query nor a fragment')
