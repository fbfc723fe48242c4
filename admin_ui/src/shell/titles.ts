import type { FoundScreen } from "./screen";
import { useAllWords } from "./words";

/** The title of any screen, from its own noun's words. */
export function useTitles(): (screen: FoundScreen) => string {
  const say = useAllWords();
  return (screen) => say(screen.noun, screen.title);
}
