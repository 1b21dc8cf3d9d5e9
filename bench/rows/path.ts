import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { CertificateView } from '@x/der/x509'
import { createAuthority } from '@x/utils'
import { listedAnchors, validatePath } from '../../packages/socket/src/verify/path/index.ts'
import type { BenchRow } from '../src/row.ts'

const DAY = 86_400_000

/** A chain of three as TLS servers send it: the leaf and one intermediate, under a root that is at hand. */
export default function rows(): BenchRow[] {
  return (['ec', 'rsa'] as const).map((type) => {
    const root = createAuthority({ subject: { commonName: 'Root' }, privateKey: type })
    const intermediate = root.issue({ ca: true, subject: { commonName: 'Intermediate' }, privateKey: type })
    const leaf = intermediate.issue({ names: ['example.org', 'www.example.org', '*.example.org'], privateKey: type })
    const anchors = listedAnchors([root.raw])
    const now = Date.now() + DAY
    const views = [leaf, intermediate].map(({ raw }) => new CertificateView(raw))
    const keys = [intermediate, root].map(({ privateKey }) => createPublicKey(privateKey))
    const walk = (): void => {
      // a connection's certificates are new bytes each time
      const chain = [Uint8Array.from(leaf.raw), Uint8Array.from(intermediate.raw)]
      const { failures } = validatePath({ chain, anchors, purpose: 'server', now, partialChain: true })
      if (failures.length > 0) throw new TypeError(failures[0]?.message)
    }
    for (let i = 0; i < 3_000; i++) walk() // until it is compiled: the others have nothing to compile
    const bare = (): void => {
      for (const [i, { tbs, signature }] of views.entries())
        if (!verify('sha256', tbs, keys[i] as (typeof keys)[0], signature)) throw new TypeError('not signed')
    }
    const natively = (): void => {
      const [first, second] = [leaf, intermediate].map(({ raw }) => new X509Certificate(raw)) as [
        X509Certificate,
        X509Certificate,
      ]
      const { certificate } = root
      if (!first.checkIssued(second) || !second.checkIssued(certificate)) throw new TypeError('not issued')
      if (!first.verify(second.publicKey) || !second.verify(certificate.publicKey)) throw new TypeError('not signed')
    }
    return {
      name: `path: a chain of three walked, ${type === 'ec' ? 'P-256' : 'RSA-2048'}`,
      subjects: {
        '@x/socket': walk,
        'its two signatures alone': bare,
        'X509Certificate checkIssued and verify': natively,
      },
      batch: 50,
      goals: [
        { of: 'its two signatures alone', atMost: type === 'ec' ? 1.5 : 2.2 },
        { of: 'X509Certificate checkIssued and verify', atMost: 0.6 },
      ],
    }
  })
}
