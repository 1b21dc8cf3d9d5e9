// not run by itself: part of main.ts. The proxy's CA: made on the first run, kept for the next.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, readCertificate, readPrivateKey, writeCertificates, writePrivateKey } from '@x/utils'

/** The CA in this folder; made there, with its key readable by its owner only, where there is none. */
export async function loadAuthority(folder: string): Promise<
  Pick<ReturnType<typeof createAuthority>, 'certificate' | 'privateKey'> & {
    readonly file: string
    readonly isNew: boolean
  }
> {
  const file = join(folder, 'ca.pem')
  const keyFile = join(folder, 'ca.key')
  if (existsSync(file) && existsSync(keyFile))
    return { certificate: await readCertificate(file), privateKey: await readPrivateKey(keyFile), file, isNew: false }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { certificate, privateKey } = createAuthority(`mitm-proxy CA of ${new Date().toISOString().slice(0, 10)}`)
  await writePrivateKey(keyFile, privateKey)
  await writeCertificates(file, [certificate])
  return { certificate, privateKey, file, isNew: true }
}
