CREATE DATABASE dynamo;
CREATE DATABASE dynamoregister;

-- Whoever fills the inventory; in earnest that is Dynamo.
CREATE USER inventory@'%' IDENTIFIED BY 'demo';
GRANT ALL ON dynamo.* TO inventory@'%' WITH GRANT OPTION;
GRANT ALL ON dynamoregister.* TO inventory@'%';

-- The checks. What they may write is granted by sample.py, table by table, when the tables are there.
CREATE USER consistency@'%' IDENTIFIED BY 'demo';
GRANT SELECT ON dynamo.* TO consistency@'%';
GRANT SELECT ON dynamoregister.* TO consistency@'%';
