import { isIP } from 'node:net'
import { contextTag, DerCursor, readOid, Tag } from '@x/der'
import { GeneralNameTag, type GeneralNameView, readName } from '@x/der/x509'
import { bytesOfIp } from '@x/utils'
import { attempt } from './attempt.ts'
import type { CertificateFacts } from './certificate-facts.ts'
import { isEmptyName, textOf } from './names.ts'
import type { CommonNameRule } from './path-request.ts'

/** Which common names are names of hosts. */
export interface HostNameRule {
  readonly commonName: CommonNameRule
  /** Also those of a single label, as hosts of an intranet have. */
  readonly singleLabels: boolean
}

const COMMON_NAME = '2.5.4.3'
const SMTP_UTF8_MAILBOX = '1.3.6.1.5.5.7.8.9'
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1'

/**
 * The names of a certificate that constraints speak about (RFC 5280 section 4.2.1.10): its alternative names, its subject, the
 * subject's e-mail addresses, and for a leaf (`hosts` given) those common names that a host may be found by.
 * undefined where the subject is malformed.
 */
export function constrainedNames(
  facts: CertificateFacts,
  hosts: HostNameRule | undefined,
): GeneralNameView[] | undefined {
  const { subject } = facts.view
  const names = (facts.subjectAltNames ?? []).flatMap(withMailbox)
  if (isEmptyName(subject)) return names
  const attributes = attempt(() => readName(subject))
  if (attributes === undefined) return undefined
  const counts = hosts !== undefined && countsCommonName(hosts.commonName, names)
  names.push({ tag: GeneralNameTag.DIRECTORY, value: subject })
  for (const { oid, tag, value } of attributes) {
    if (oid !== EMAIL_ADDRESS && !(counts && oid === COMMON_NAME)) continue
    const text = textOf(tag, value)
    if (text === undefined) return undefined
    if (oid === EMAIL_ADDRESS) names.push({ tag: GeneralNameTag.EMAIL, value: Buffer.from(text, 'utf8') })
    else names.push(...hostOf(text.trim(), hosts?.singleLabels === true))
  }
  return names
}

/** RFC 9598 section 6: a mailbox beyond ASCII, which is an otherName, obeys the constraints of the others. */
function withMailbox(name: GeneralNameView): GeneralNameView[] {
  if (name.tag !== GeneralNameTag.OTHER_NAME) return [name]
  const fields = new DerCursor(name.value)
  if (attempt(() => readOid(fields.expect(Tag.OID))) !== SMTP_UTF8_MAILBOX) return [name]
  const mailbox = attempt(() => fields.enterExpected(contextTag(0, true)).expect(Tag.UTF8_STRING).content())
  return [name, { tag: GeneralNameTag.EMAIL, value: mailbox ?? new Uint8Array() }] // malformed: no mailbox is empty
}

function countsCommonName(rule: CommonNameRule, altNames: readonly GeneralNameView[]): boolean {
  if (rule === 'always') return true
  return rule === 'when-no-dns-name' && !altNames.some(({ tag }) => tag === GeneralNameTag.DNS)
}

/** A common name as the name of a host, where the name check could take it for one; trailing dots do not count there. */
function hostOf(text: string, singleLabels: boolean): GeneralNameView[] {
  const address = isIP(text) === 0 ? undefined : bytesOfIp(text)
  if (address !== undefined) return [{ tag: GeneralNameTag.IP, value: address }]
  const name = text.replace(/\.+$/, '')
  if (!/^[a-z0-9_*-]+(\.[a-z0-9_*-]+)*$/i.test(name)) return []
  if (!singleLabels && !name.includes('.')) return []
  return [{ tag: GeneralNameTag.DNS, value: Buffer.from(name, 'ascii') }]
}
