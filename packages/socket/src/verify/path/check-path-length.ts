import type { CertificateFacts } from './certificate-facts.ts'

/**
 * The depths whose basicConstraints allow fewer CAs below them than there are (RFC 5280 sections 4.2.1.9 and 6.1.4 (l), (m)):
 * self-issued certificates and the leaf do not count; an anchor's limit does.
 */
export function tooLongBelow(path: readonly CertificateFacts[]): number[] {
  const depths: number[] = []
  let below = 0
  for (const [depth, { basicConstraints, selfIssued }] of path.entries()) {
    if (depth === 0) continue
    if (basicConstraints?.pathLength !== undefined && below > basicConstraints.pathLength) depths.push(depth)
    if (!selfIssued) below++
  }
  return depths
}
