import type { PlainEngine, TlsEngine } from './engine/engine.ts'
import type { Verification } from './verify/verification.ts'

/** Where a socket is in its life; half-open is not a state but read off the stream's own flags. */
export type State =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'plain'; readonly engine: PlainEngine }
  | { readonly phase: 'handshaking'; readonly engine: TlsEngine }
  | { readonly phase: 'verifying'; readonly engine: TlsEngine }
  | { readonly phase: 'secure'; readonly engine: TlsEngine; readonly verification: Verification }
  | { readonly phase: 'stopping'; readonly engine: TlsEngine; readonly verification: Verification }
  | { readonly phase: 'closed'; readonly was: PhaseName; readonly verification: Verification | undefined }

export type PhaseName = 'connecting' | 'plain' | 'handshaking' | 'verifying' | 'secure' | 'stopping' | 'closed'

/** Which phase may follow which. Nothing reaches 'secure' but through 'verifying'. */
const successors: { readonly [P in PhaseName]: readonly PhaseName[] } = {
  connecting: ['plain', 'handshaking', 'closed'],
  plain: ['handshaking', 'closed'],
  handshaking: ['verifying', 'closed'],
  verifying: ['secure', 'closed'],
  secure: ['stopping', 'closed'],
  stopping: ['plain', 'closed'],
  closed: [],
}

export function mayFollow(from: PhaseName, to: PhaseName): boolean {
  return successors[from].includes(to)
}
