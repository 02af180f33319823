/** What `http_request` can send; D0-035. */
export const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const

export type Method = (typeof methods)[number]
