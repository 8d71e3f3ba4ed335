-- An account to try things with on a local stack.
select public.register_x_account('postloop_demo', '{
  "topic": ["building in public", "pricing", "hiring"],
  "angle": ["lesson learned", "contrarian", "how to"],
  "tone": ["dry", "warm", "urgent"],
  "format": ["one liner", "list", "story"],
  "generator": ["human", "model"],
  "hook_pattern": ["question", "number", "confession"]
}');
