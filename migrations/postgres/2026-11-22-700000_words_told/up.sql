SELECT 1; -- A tsquery finds beginnings by itself.
