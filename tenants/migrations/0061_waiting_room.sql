-- Who presses when a flash sale has nothing left may get a place in a line; how the line stands is Redis', as the gate is.
ALTER TABLE sale ADD COLUMN waiting_room text NOT NULL DEFAULT 'off'
    CONSTRAINT sale_waiting_room_check CHECK (waiting_room IN ('off', 'line', 'draw'));
ALTER TABLE sale ADD CONSTRAINT sale_waiting_room_door CHECK (waiting_room = 'off' OR door = 'gate');
