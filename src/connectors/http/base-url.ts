import { z } from 'zod'

/** Where something lives that requests may go to or below. */
export const baseUrlField = z.url({ protocol: /^https?$/ }).refine((text) => {
  const url = URL.parse(text)
  return url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}, 'must hold neither credentials nor a query nor a fragment')
