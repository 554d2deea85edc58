import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { HabeasError } from '../../foundation/index.ts';

/**
 * The payload of an age file (https://age-encryption.org/v1, "STREAM"): pieces of 64 KiB, each sealed with ChaCha20-Poly1305
 * under a nonce that counts them, so that any piece can be opened, and the work gone on with, without the ones before.
 */
export const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
/** Bytes of a whole piece when sealed. */
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const NONCE_BYTES = 16;

/** What one package is sealed with. */
export interface PackageKey {
  /** `AGE-SECRET-KEY-1…`: opens the file with any age tool. */
  readonly identity: string;
  /** The same file's inner key, with which work goes on after a crash; base64. */
  readonly fileKey: string;
}

/**
 * A fresh key and the beginning of a file that it opens: the header of the library, and a nonce of our own. The library's nonce
 * was used for its empty payload, and a nonce must not seal two things.
 */
export async function newAgeFile(): Promise<{ readonly key: PackageKey; readonly header: Buffer }> {
  // Loaded when the first package is made: it brings curves that nothing else here needs.
  const age = await import('age-encryption');
  const identity = await age.generateX25519Identity();
  const encrypter = new age.Encrypter();
  encrypter.addRecipient(await age.identityToRecipient(identity));
  const empty = await encrypter.encrypt(new Uint8Array());
  const header = Buffer.from(empty.subarray(0, empty.length - NONCE_BYTES - TAG_BYTES));
  const decrypter = new age.Decrypter();
  decrypter.addIdentity(identity);
  const fileKey = await decrypter.decryptHeader(header);
  return {
    key: { identity, fileKey: Buffer.from(fileKey).toString('base64') },
    header: Buffer.concat([header, randomBytes(NONCE_BYTES)]),
  };
}

/** Seals and opens the pieces of the file that begins with `header`. */
export interface AgeStream {
  seal(chunk: Uint8Array, index: number, last: boolean): Buffer;
  /** Throws SYSTEM_GARBAGE if the piece is not the one that was sealed at this place. */
  open(sealed: Uint8Array, index: number, last: boolean): Buffer;
}

export function ageStream(key: PackageKey, header: Uint8Array): AgeStream {
  const nonce = header.subarray(header.length - NONCE_BYTES);
  const payloadKey = new Uint8Array(
    hkdfSync('sha256', Buffer.from(key.fileKey, 'base64'), nonce, 'payload', 32),
  );
  return {
    seal(chunk, index, last) {
      const cipher = createCipheriv('chacha20-poly1305', payloadKey, chunkNonce(index, last), {
        authTagLength: TAG_BYTES,
      });
      return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, index, last) {
      const decipher = createDecipheriv('chacha20-poly1305', payloadKey, chunkNonce(index, last), {
        authTagLength: TAG_BYTES,
      });
      try {
        decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
        return Buffer.concat([
          decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)),
          decipher.final(),
        ]);
      } catch (cause) {
        throw new HabeasError('SYSTEM_GARBAGE', 'A stored piece of a package is not what was stored.', {
          cause,
        });
      }
    },
  };
}

/** Eleven bytes that count, and one that says whether this is the last piece. */
function chunkNonce(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}
