import type { SecureContext } from 'node:tls'
import { invalidType, invalidValue } from './errors.ts'
import { loadAnchors } from './options/ca.ts'
import { createContext } from './options/context.ts'
import { remember } from './options/made-contexts.ts'
import { isContextOption, resolve } from './options/resolve.ts'
import type { ContextOptions } from './options/types.ts'

/**
 * A context for many connections: `connect({…, secureContext})`. Files are read now and not again. Made with this function rather than node:tls's, its
 * CAs are known to the checks and its sessions can be kept. A server takes its options, and makes a context for each of its policies.
 *
 * Takes the options of `connect` that are about contexts: CAs, credentials, versions, ciphers, `psk`, `onContext`. Rejects with a TypeError that names
 * another one, and as `connect` does for credentials. The original's IO::Socket::SSL::SSL_Context.
 */
export async function createSecureContext(options: Omit<ContextOptions, 'secureContext'> = {}): Promise<SecureContext> {
  if (typeof options !== 'object' || options === null) throw invalidType('options', 'an object')
  for (const key of Object.keys(options))
    if (!isContextOption(key)) throw invalidValue(key, 'does not apply to createSecureContext()')
  const { context } = resolve('connect', options)
  const { secureContext: _default, ...own } = context
  const anchors = loadAnchors(own, true)
  const { secureContext, identity } = await createContext(own, anchors)
  remember(secureContext, { options: own, anchors, identity })
  return secureContext
}
