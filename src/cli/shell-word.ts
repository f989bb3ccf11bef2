/** Texts in commands that people copy into a shell. */

/** A text as one word of a POSIX shell: as it is when nothing in it means anything there, else in quotes. */
export function shellWord(text: string): string {
  return /^[\w./+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
