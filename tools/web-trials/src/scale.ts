/** How much the tests do: a part in `npm test`, all that is promised in `npm run test:full`. */
export const full: boolean = process.env['LEX_TEST_SCALE'] !== undefined;
