/** What can be wrong with a store or with one of its entries, one code each. */
export type CaStoreErrorCode =
  | 'ERR_CA_FILE_UNREADABLE'
  | 'ERR_CA_PATH_UNREADABLE'
  | 'ERR_CA_PATH_NOT_HASHED'
  | 'ERR_CA_NOT_PEM'
  | 'ERR_CA_TOO_LARGE'
  | 'ERR_CA_BROKEN_CERTIFICATE'
  | 'ERR_CA_HASH_MISMATCH'
  | 'ERR_CA_DISTRUSTED'
  | 'ERR_CA_NOT_A_CA'
  | 'ERR_CA_EXPIRED'
  | 'ERR_CA_DUPLICATE'
  | 'ERR_CA_EMPTY'
  | 'ERR_CA_ENVIRONMENT'
  | 'ERR_CA_CACHE_UNWRITABLE'

/** Where an error arose, as far as that is known. */
export interface CaStoreErrorPlace {
  /** The file or directory, or the name of a list such as `certificates`. */
  readonly file?: string | undefined
  /** Position of the certificate within it, from 0. */
  readonly index?: number | undefined
  readonly cause?: unknown
}

/** Thrown where no store can be had; collected in `CaStore.errors` where one entry or one source was left out. */
export class CaStoreError extends Error {
  override readonly name = 'CaStoreError'
  readonly code: CaStoreErrorCode
  readonly file: string | undefined
  readonly index: number | undefined
  override readonly cause?: unknown

  constructor(code: CaStoreErrorCode, message: string, place: CaStoreErrorPlace = {}) {
    const { file, index, cause } = place
    super(file === undefined ? message : `${file}${index === undefined ? '' : ` #${index}`}: ${message}`)
    this.code = code
    this.file = file
    this.index = index
    if (cause !== undefined) this.cause = cause
  }
}
