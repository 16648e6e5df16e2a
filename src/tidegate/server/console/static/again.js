// What is asked for is being made: the same page again in a moment.

setTimeout(() => location.reload(), 1500);
