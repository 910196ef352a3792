/** English words that say nothing of what a text is about. */
const functionWords =
  'a about above after again against ah all also am an and any are as at be because been before being below ' +
  'between both but by can cannot could did do does doing down during each either else etc ever few for from ' +
  'further get gets getting go goes going gonna got had has have having he her here hers herself him himself his ' +
  'hmm how i if in into is it its itself just let like mainly may maybe me mean might mine mm mm-hmm more most ' +
  'must my myself no nor not now of off oh ok okay on once only onto or other our ours ourselves out over own ' +
  'please quite rather really same shall she should so some something such than that the their theirs them ' +
  'themselves then there these they thing things this those through to too uh uh-huh um under until up upon us ' +
  'very want was we well were what whatever when where whether which while who whom whose why will with would ' +
  'yeah yep yes you your yours yourself yourselves';

/** What contractions leave: `don't` comes as `don` and `t`, or whole. */
const contractions =
  "ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't he'd he'll he's here's how's i'd i'll " +
  "i'm i've isn't it'd it'll it's let's mustn't she'd she'll she's shouldn't that's there's they'd they'll they're " +
  "they've wasn't we'd we'll we're we've weren't what's when's where's who's why's won't wouldn't you'd you'll " +
  "you're you've";

/** Words with which one asks about a conversation: they tell what to do with the answer, not what it is about. */
const askingWords =
  'answer asked asking agree agreed agreement attitude attitudes comment comments concern concerns conclude ' +
  'concluded conclusion conclusions consider considered conversation decide decided decision decisions describe ' +
  'described disagree discuss discussed discussing discussion discussions explain explained give given gave group ' +
  'idea ideas meeting meetings mention mentioned mentions opinion opinions point points propose proposed reason ' +
  'reasons recommend recommended regard regarding remember said say says share shared speak spoke suggest ' +
  'suggested suggestion suggestions summarise summarised summarize summarized summary talk talked talking team ' +
  'tell think thinks thought thoughts told toward towards view views';

const functionSet: ReadonlySet<string> = new Set([
  ...functionWords.split(' '),
  ...contractions.split(' '),
]);
const askingSet: ReadonlySet<string> = new Set(askingWords.split(' '));

/** Whether a lower-case word is too common to be searched for. */
export function isStopWord(word: string): boolean {
  return functionSet.has(word);
}

/** Whether a lower-case word belongs to the asking, not to what is asked about. */
export function isAskingWord(word: string): boolean {
  return askingSet.has(word);
}
