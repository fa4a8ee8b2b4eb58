SELECT 1; -- A tsquery finds prefixes without help.
