import type { X509Certificate } from 'node:crypto'
import type { VerifyAnswer } from '../options/verify-types.ts'
import type { TrustPolicy } from './policy.ts'
import { type Failure, failure } from './verification.ts'

/** Refusals that come from the callback itself: a pin does not override them (rule 3). */
const callbackCodes: readonly string[] = [
  'ERR_SECURE_SOCKET_CALLBACK_REFUSED',
  'ERR_SECURE_SOCKET_CALLBACK_FAILED',
  'ERR_SECURE_SOCKET_CHECK_TIMEOUT',
]

export function refusedByCallback(failures: readonly Failure[]): boolean {
  return failures.some(({ code }) => callbackCodes.includes(code))
}

/**
 * Asks the program's callback for each certificate, from the root down to the leaf. Undefined where it accepts them all; else what is
 * left standing at the first certificate that it does not accept. A throw, a rejection, an answer of another form, lateness and an abort
 * are refusals.
 */
export async function askCallback(
  certificates: readonly X509Certificate[],
  failures: readonly Failure[],
  policy: TrustPolicy,
  signal: AbortSignal,
): Promise<readonly [Failure, ...Failure[]] | undefined> {
  const { callback, callbackTimeout } = policy
  if (callback === undefined || certificates.length === 0)
    return [failure('ERR_SECURE_SOCKET_CALLBACK_FAILED', 0, 'there is nobody, or nothing, to ask')]
  const chain = Object.freeze([...certificates]) // the program's own: what it does to it must not change what it is asked
  let timer: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  const interrupted = new Promise<Failure>((resolve) => {
    timer = setTimeout(
      () => resolve(failure('ERR_SECURE_SOCKET_CHECK_TIMEOUT', 0, `the callback took more than ${callbackTimeout} ms`)),
      callbackTimeout,
    )
    onAbort = (): void =>
      resolve(
        failure('ERR_SECURE_SOCKET_CALLBACK_FAILED', 0, 'the connection was given up before the callback answered'),
      )
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    for (let depth = certificates.length - 1; depth >= 0; depth--) {
      const here = failures.filter((entry) => entry.depth === depth)
      const question = {
        ok: here.length === 0,
        certificate: certificates[depth] as X509Certificate,
        depth,
        errors: here.map(({ code }) => code),
        chain,
      }
      const answer = await Promise.race([interrupted, answerOf(() => callback(question), depth)])
      if (isFailure(answer)) return [answer, ...here]
      const [first, ...others] = standing(answer, here, depth)
      if (first !== undefined) return [first, ...others]
    }
    return undefined
  } finally {
    clearTimeout(timer)
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}

async function answerOf(
  ask: () => VerifyAnswer | Promise<VerifyAnswer>,
  depth: number,
): Promise<VerifyAnswer | Failure> {
  try {
    return await ask()
  } catch (error) {
    const reason =
      error instanceof Error ? error : new Error('the callback threw a value that is no Error', { cause: error })
    return failure('ERR_SECURE_SOCKET_CALLBACK_FAILED', depth, reason)
  }
}

function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'code' in value && 'depth' in value && 'error' in value
}

/** What an answer leaves standing: nothing for `true`, the codes not listed for `{accept}`, everything for anything else. */
function standing(answer: unknown, here: readonly Failure[], depth: number): readonly Failure[] {
  if (answer === true) return []
  const accepted =
    typeof answer === 'object' && answer !== null && 'accept' in answer && Array.isArray(answer.accept)
      ? (answer.accept as unknown[])
      : undefined
  const left = accepted === undefined ? here : here.filter(({ code }) => !accepted.includes(code))
  if (accepted !== undefined && left.length === 0) return []
  return [...left, failure('ERR_SECURE_SOCKET_CALLBACK_REFUSED', depth, 'the callback did not accept the certificate')]
}
