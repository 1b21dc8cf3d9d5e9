import { type GeneralNameView, GeneralNameTag } from '@x/der/x509'
import { canonicalName, latin1 } from './canonical-name.ts'

/** The directory names among these, in the form in which names are compared. */
export function directoryKeys(names: readonly GeneralNameView[]): string[] {
  return names.filter(({ tag }) => tag === GeneralNameTag.DIRECTORY).map(({ value }) => canonicalName(value))
}

/** Two GeneralNames are the same where these keys are: directory names by their canonical form, all others octet by octet. */
export function generalNameKey({ tag, value }: GeneralNameView): string {
  return tag === GeneralNameTag.DIRECTORY ? directoryKey(canonicalName(value)) : `${tag} ${latin1(value)}`
}

/** The key of a directory name whose canonical form is at hand. */
export function directoryKey(canonical: string): string {
  return `${GeneralNameTag.DIRECTORY} ${canonical}`
}
