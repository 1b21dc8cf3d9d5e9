import { checkServerIdentity } from 'node:tls'
import { createAuthority } from '@x/utils'
import { verifyHostname } from '@x/verify-hostname'
import type { Chart } from '../src/chart.ts'
import { grow, perCall } from '../src/growth.ts'

const authority = createAuthority()

export default async function charts(): Promise<Chart[]> {
  const xs = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]
  return [
    {
      id: 'sans',
      title: 'A host name against the names of a certificate',
      text: 'The last of so many names matches. The certificate is at hand: as its DER for us, as its legacy object for node:tls.',
      x: 'names in the certificate',
      y: 'CPU time, µs',
      lines: await grow(xs, (count) => {
        const names = Array.from({ length: count }, (_, i) => `host${i}.example${i}.com`)
        const { certificate } = authority.issue(names)
        const legacy = certificate.toLegacyObject()
        const host = names.at(-1) as string
        return {
          samples: {
            '@x/verify-hostname': perCall(() => verifyHostname(certificate, host)),
            'tls.checkServerIdentity': perCall(() => checkServerIdentity(host, legacy)),
          },
        }
      }),
    },
  ]
}
