// What drivers and pages share: telling errors, and waiting.

/** What is answered, or what is thrown instead. */
export async function told(ask) {
  try {
    return (await ask()) ?? {};
  } catch (error) {
    return { error: said(error) };
  }
}

function said(error) {
  const cause = error.cause ? `: ${said(error.cause)}` : "";
  return `${error.name}: ${error.message}${cause}`;
}

/** Evaluates until the value is there; tells the last answer, right or not, when the time is over. */
export async function waitFor(value, seconds, evaluate) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await told(evaluate);
    if (answer.value === value || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
