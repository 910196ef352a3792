/** Scripts that are written without spaces: every place between two of their characters may be the end of a word. */
const openScript =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u;
/** Korean particles follow a word without a space. */
const hangul = /^\p{Script=Hangul}$/u;
const wordCharacter = /^[\p{L}\p{N}\p{M}_]$/u;

/** A text as it is compared: without differences of case and width. */
export function foldText(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Whether a folded text has a folded word, or words, in it as a whole: `art` is in `Art, now`, not in `start`. */
export function mentions(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    const end = at + word.length;
    const starts = !joins(characterBefore(text, at), characterAt(word, 0));
    const last = characterBefore(word, word.length);
    const next = characterAt(text, end);
    const ends = !joins(last, next) || (hangul.test(last) && hangul.test(next));
    if (starts && ends) return true;
  }
  return false;
}

/** Whether two neighbours stand in one word. */
function joins(left: string, right: string): boolean {
  if (!wordCharacter.test(left) || !wordCharacter.test(right)) return false;
  return !openScript.test(left) && !openScript.test(right);
}

function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

function characterBefore(text: string, at: number): string {
  if (at === 0) return '';
  const unit = text.charCodeAt(at - 1);
  const isLow = unit >= 0xdc00 && unit <= 0xdfff;
  return characterAt(text, at - (isLow && at > 1 ? 2 : 1));
}
