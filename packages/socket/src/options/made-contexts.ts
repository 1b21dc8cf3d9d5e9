import type { SecureContext } from 'node:tls'
import type { Anchors } from './ca.ts'
import type { Resolved } from './resolve.ts'

/** What is known of a context that we made ourselves, unlike one of tls.createSecureContext's. */
export interface MadeContext {
  readonly options: Resolved['context']
  /** Those of the moment when it was made: its CAs do not change with their files. */
  readonly anchors: Anchors
  readonly identity: string
}

const made = new WeakMap<object, MadeContext>()

export function remember(secureContext: SecureContext, known: MadeContext): void {
  made.set(secureContext, known)
}

export function madeContext(secureContext: unknown): MadeContext | undefined {
  return typeof secureContext === 'object' && secureContext !== null ? made.get(secureContext) : undefined
}

/** The options that a context of ours was made with. */
export function contextOptionsOf(secureContext: unknown): Resolved['context'] | undefined {
  return madeContext(secureContext)?.options
}
